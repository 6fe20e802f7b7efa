import { createMetrics } from '@libs/observability';
import { describe, expect, it } from 'vitest';
import { accountingAnswer } from '../core/accounting-answers.js';
import { Ledger } from './core/ledger.js';
import { showAccount, toAnswer, warningOf } from './show-account.js';

const nobody = { realtime: new Map<number, number>(), backfill: new Map<number, number>() };
const circumstances = { gaps: [], isConfirmed: false, timeMs: 5_000, sinceMs: 1_000 };

/** Three Leads: written, lost, in flight. */
function account() {
  const ledger = new Ledger(new Map([[0, 0]]));
  for (const offset of [0, 1, 2]) ledger.change(0, offset, { recordType: 'Lead', lane: 'realtime' });
  ledger.outcome(['0:0'], 'written');
  return ledger.judge({ changes: new Map([[0, 2]]), batches: nobody, updates: nobody });
}

describe('an account', () => {
  it('is shown by the API and by metrics, which forget what is no longer in it', async () => {
    const answer = accountingAnswer.parse(toAnswer(account(), circumstances));
    expect(answer.rows).toEqual([
      expect.objectContaining({ object: 'Lead', lane: 'realtime', in: 3, written: 1, dead: 0, inFlight: 1, gap: 1 }),
    ]);
    const metrics = createMetrics();
    metrics.accountingGap.set({ object: 'Old', lane: 'backfill' }, 7);
    showAccount(metrics, answer);
    const text = await metrics.registry.metrics();
    for (const line of [
      'sync_accounting_gap{object="Lead",lane="realtime"} 1',
      'sync_accounting_in_flight{object="Lead",lane="realtime"} 1',
      'sync_accounting_changes{object="Lead",lane="realtime",state="in"} 3',
      'sync_accounting_changes{object="Lead",lane="realtime",state="written"} 1',
      'sync_accounting_changes{object="Lead",lane="realtime",state="dead"} 0',
      'sync_accounting_since_timestamp_seconds 1',
      'sync_accounting_last_timestamp_seconds 5',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('Old');
  });

  it('warns with counts', () => {
    const row = toAnswer(account(), circumstances).rows[0] as ReturnType<typeof toAnswer>['rows'][number];
    expect(warningOf({ gap: 1, rows: [row] })).toBe(
      '1 change has no outcome and is not on the way (1 Lead realtime): sync accounting names the records',
    );
    const rows = [2, 9_000, 3, 4].map((gap, n) => ({ ...row, object: `O${n}`, gap }));
    expect(warningOf({ gap: 9_009, rows })).toBe(
      '9,009 changes have no outcome and are not on the way (9,000 O1 realtime, 4 O3 realtime, 3 O2 realtime, others): sync accounting names the records',
    );
  });
});
