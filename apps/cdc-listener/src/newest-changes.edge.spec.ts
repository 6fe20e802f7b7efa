import { allTopics, topics } from '@libs/contracts';
import { createEmbeddedLog, type EmbeddedLog, type Outgoing } from '@libs/event-log';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idOf } from '../test/stage.js';
import { newestChanges } from './newest-changes.js';

const signal = new AbortController().signal;
let log: EmbeddedLog;

beforeEach(async () => {
  log = createEmbeddedLog({ dataDir: ':memory:', partitions: 3 });
  await log.applyTopics(allTopics);
});
afterEach(() => log.close());

const change = (n: number, commitTimestamp: number, own: object = {}): Outgoing => {
  const kind = { recordType: 'Lead', changeType: 'UPDATE', source: 'cdc', lane: 'realtime' };
  return { topic: topics.changes, key: idOf(n), value: { ...kind, recordId: idOf(n), commitTimestamp, ...own } };
};

describe('newestChanges', () => {
  it('finds nothing in an empty log', async () => {
    expect([...(await newestChanges(log, new Set(['Lead']), signal))]).toEqual([]);
  });

  it('finds the newest commit of each object, behind any number of backfilled records', async () => {
    await log.append([
      change(1, 5_000),
      change(2, 7_000),
      change(3, 6_000),
      change(4, 1_000, { recordType: 'Contact' }),
    ]);
    const backfilled = Array.from({ length: 9_000 }, (_, n) =>
      change(n, 99_000, { source: 'backfill', lane: 'backfill' }),
    );
    await log.append(backfilled);
    const newest = await newestChanges(log, new Set(['Lead', 'Contact', 'Account']), signal);
    expect(Object.fromEntries(newest)).toEqual({ Lead: 7_000, Contact: 1_000 });
  });
});
