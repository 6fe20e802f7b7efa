import { outcomeKinds } from '@libs/contracts';
import type { Metrics } from '@libs/observability';
import type { AccountingAnswer } from '../core/accounting-answers.js';
import { plural } from '../core/format.js';
import type { Account } from './core/ledger.js';

/** An account as the API tells it. */
export function toAnswer(
  { rows, gap }: Account,
  { gaps, timeMs, sinceMs }: { readonly gaps: AccountingAnswer['gaps']; readonly timeMs: number; readonly sinceMs: number },
): AccountingAnswer {
  return { time: timeMs, since: sinceMs, gap, rows: rows.map(({ ended, ...row }) => ({ ...row, ...ended })), gaps };
}

/** Sets the gauges to an account. */
export function showAccount(
  { accountingGap, accountingInFlight, accountingChanges, accountingSince, accountingTime }: ShownMetrics,
  { rows, since, time }: AccountingAnswer,
): void {
  for (const gauge of [accountingGap, accountingInFlight, accountingChanges]) gauge.reset(); // books that begin anew have other rows
  for (const row of rows) {
    const { object, lane } = row;
    accountingGap.set({ object, lane }, row.gap);
    accountingInFlight.set({ object, lane }, row.inFlight);
    for (const state of ['in', ...outcomeKinds] as const) accountingChanges.set({ object, lane, state }, row[state]);
  }
  accountingSince.set((since ?? 0) / 1_000);
  accountingTime.set((time ?? 0) / 1_000);
}

type ShownMetrics = Pick<
  Metrics,
  'accountingGap' | 'accountingInFlight' | 'accountingChanges' | 'accountingSince' | 'accountingTime'
>;

/** What is wrong, for a person: counts, no ids. `null`: every change is accounted for. */
export function warningOf({ gap, rows }: Pick<AccountingAnswer, 'gap' | 'rows'>): string | null {
  if (gap === 0) return null;
  const where = rows
    .filter((row) => row.gap > 0)
    .toSorted((a, b) => b.gap - a.gap)
    .map((row) => `${row.gap} ${row.object} ${row.lane}`);
  const named = where.length > 3 ? [...where.slice(0, 3), `${where.length - 3} more`] : where;
  const [are, have] = gap === 1 ? ['is', 'has'] : ['are', 'have'];
  return `${plural(gap, 'change')} ${have} no outcome and ${are} not on the way (${named.join(', ')}): sync accounting names the records`;
}
