import { outcomeKinds } from '@libs/contracts';
import type { Fates } from '../support/fates.js';
import { startProcess } from '../support/processes.js';
import type { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const TOKEN = 'test-token-of-the-console';
const DEADLINE_MS = 180_000;

type Row = Readonly<Record<(typeof outcomeKinds)[number] | 'in' | 'inFlight' | 'gap', number>>;

/** What the product itself says became of the changes, both lanes and all objects together. */
export type Account = Row;

/** Starts a console after everything has come to rest, and waits for an account with nothing in flight, or as it is at a deadline. */
export async function readAccount(stack: Stack): Promise<Account> {
  const served = await startProcess('console', { ...stack.settings, CONSOLE_TOKEN: TOKEN }, false);
  try {
    return await waitFor(
      'an account with nothing in flight',
      async () => {
        const response = await fetch(`${served.url}/api/accounting`, { headers: { authorization: `Bearer ${TOKEN}` } });
        const { time, rows } = (await response.json()) as { time: number | null; rows: Row[] };
        const sum = total(rows);
        return time !== null && sum.inFlight === 0 ? sum : null;
      },
      DEADLINE_MS,
      1_000,
    );
  } finally {
    await served.kill();
  }
}

function total(rows: readonly Row[]): Row {
  const of = (name: keyof Row) => rows.reduce((sum, row) => sum + row[name], 0);
  const names = [...outcomeKinds, 'in', 'inFlight', 'gap'] as const;
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Row;
}

/** Does the product's account say what the topics say? */
export function accountViolations(account: Account, fates: Fates, changes: number): string[] {
  const differing = outcomeKinds.filter((kind) => account[kind] !== (fates.kinds[kind] ?? 0));
  return [
    ...(account.gap === 0 ? [] : [`the console counts a gap of ${account.gap}`]),
    ...(account.in === changes ? [] : [`the console counts ${account.in} changes, the topic has ${changes}`]),
    ...differing.map((kind) => `the console counts ${account[kind]} ${kind}, the topics say ${fates.kinds[kind] ?? 0}`),
  ];
}
