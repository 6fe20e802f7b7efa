import { outcomeKinds } from '@libs/contracts';
import type { Metrics } from '@libs/observability';
import type { AccountingAnswer } from '../core/accounting-answers.js';
import { formatCount, plural } from '../core/format.js';
import type { Account } from './core/ledger.js';

/** Pairs of object and lane in a warning. */
const MOST_NAMED = 3;

/** What an account does not say of itself. */
export interface Circumstances {
  readonly gaps: AccountingAnswer['gaps'];
  readonly isConfirmed: boolean;
  readonly timeMs: number;
  readonly sinceMs: number;
}

/** An account as the API tells it. */
export function toAnswer(
  { rows, gap }: Account,
  { gaps, isConfirmed, timeMs, sinceMs }: Circumstances,
): AccountingAnswer {
  return {
    time: timeMs,
    since: sinceMs,
    gap,
    confirmed: isConfirmed,
    rows: rows.map(({ ended, ...row }) => ({ ...row, ...ended })),
    gaps,
  };
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

/** What is wrong when there is a gap, for a person: counts, no ids. */
export function warningOf({ gap, rows }: Pick<AccountingAnswer, 'gap' | 'rows'>): string {
  const where = rows
    .filter((row) => row.gap > 0)
    .toSorted((a, b) => b.gap - a.gap)
    .map((row) => `${formatCount(row.gap)} ${row.object} ${row.lane}`);
  const named = where.length > MOST_NAMED ? [...where.slice(0, MOST_NAMED), 'others'] : where;
  const [have, are] = gap === 1 ? ['has', 'is'] : ['have', 'are'];
  return `${plural(gap, 'change')} ${have} no outcome and ${are} not on the way (${named.join(', ')}): sync accounting names the records`;
}
