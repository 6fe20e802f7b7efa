import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.js';
import { leadId, mostInWindow, Stage } from './stage.js';

let stage: Stage;

afterEach(() => stage.close());

/** Counts by kind and reason. */
async function tally(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind, reason } of await stage.outcomes()) {
    const name = reason === undefined ? kind : `${kind} ${reason}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const allCommitted = () => waitFor('every update to be committed', async () => (await stage.uncommitted()) === 0);

describe('the writer', () => {
  it('writes 10,000 backfilled users in full requests, within the limit, and books each once', async () => {
    stage = await new Stage().open();
    await stage.send(
      'backfill',
      Array.from({ length: 10_000 }, () => ({ jobIds: ['job'] })),
    );
    const writer = await stage.startWriter();
    await allCommitted();
    expect(await tally()).toEqual({ written: 10_000 });
    expect(stage.sandbox.stats().users).toBe(10_000);
    const requests = stage.requests();
    expect(requests.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(mostInWindow(requests, 1)).toBeLessThanOrEqual(6);
    const outcomes = await stage.outcomes();
    expect(new Set(outcomes.flatMap(({ offsets }) => offsets)).size).toBe(10_000);
    expect(outcomes[0]).toMatchObject({
      recordType: 'Lead',
      lane: 'backfill',
      jobIds: ['job'],
      requestId: expect.any(String),
    });
    expect(await stage.identities()).toHaveLength(10_000);
    expect(stage.profile({ email: 'user42@example.com' })).toMatchObject({
      Number: 42,
      Salesforce: { Id: leadId(42) },
    });
    expect(writer.health.ready).toBe(true);
    expect(await writer.metrics.registry.metrics()).toContain('sync_writer_active 1');
  });
});
