import { lane } from '@libs/contracts';
import { z } from 'zod';

const epochMs = z.number().int().describe('Milliseconds since the epoch.');
const count = z.number().int().nonnegative();

/** What became of every change: `GET /api/accounting`. */
export const accountingAnswer = z.object({
  time: epochMs.nullable().describe('Of the last account; null: the topics are still being read for the first.'),
  since: epochMs.nullable().describe('Changes that were appended before it are out of the account.'),
  gap: count.describe('Changes without an outcome that are nowhere on their way. 0 is what must be.'),
  confirmed: z.boolean().describe('There was a gap in two accounts, one after the other: someone should look.'),
  rows: z
    .array(
      z.object({
        object: z.string(),
        lane,
        in: count.describe('All changes: the sum of what follows.'),
        written: count,
        superseded: count,
        filtered: count,
        skipped: count,
        expanded: count,
        dead: count,
        inFlight: count.describe('On their way: not batched, mapped or written yet.'),
        gap: count,
      }),
    )
    .describe('By object and lane.'),
  gaps: z
    .array(
      z.object({
        offset: z.string().describe('Name of the change, partition:offset in salesforce.changes.v1.'),
        object: z.string(),
        lane,
        recordId: z.string().optional().describe('Absent: the log has the change no more, or it is unreadable.'),
        time: epochMs.optional().describe('When the change was appended.'),
      }),
    )
    .describe('Up to 100 of them.'),
});
export type AccountingAnswer = z.infer<typeof accountingAnswer>;
export type AccountingGap = AccountingAnswer['gaps'][number];

/** Before the first account. */
export const noAccount: AccountingAnswer = { time: null, since: null, gap: 0, confirmed: false, rows: [], gaps: [] };
