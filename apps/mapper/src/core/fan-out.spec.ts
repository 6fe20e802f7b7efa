import { describe, expect, it } from 'vitest';
import { backfillStart, command, MAX_FAN_OUT_IDS, recordChange, toRecordId, type BatchEntry } from '@libs/contracts';
import { causesOf, changesOf, jobsOf } from './fan-out.js';

const idOf = (n: number) => toRecordId(`001${String(n).padStart(12, '0')}`) as string;

function entry(n: number, changes: Partial<BatchEntry> = {}): BatchEntry {
  return {
    recordId: idOf(n),
    changeType: 'UPDATE',
    offsets: [`0:${n}`],
    jobIds: [],
    sources: ['cdc'],
    oldestCommitTimestamp: 5_000 + n,
    newestCommitTimestamp: 9_000 + n,
    ...changes,
  };
}

const batch = (...entries: BatchEntry[]) => ({
  batchId: 'b',
  recordType: 'Contact',
  entries,
  windowStart: 0,
  windowEnd: 1,
});

describe('causesOf', () => {
  it.each<[BatchEntry['sources'], boolean]>([
    [['cdc'], true],
    [['catch-up'], true],
    [['redrive'], true],
    [['backfill'], false],
    [['fan-out'], false],
    [['backfill', 'fan-out'], false],
    [['fan-out', 'cdc'], true],
    [undefined, true],
  ])('of a mapped object, found by %j: %s', (sources, expected) => {
    expect(causesOf(batch(entry(1, { sources })), true)).toHaveLength(expected ? 1 : 0);
    expect(causesOf(batch(entry(1, { sources })), false)).toHaveLength(1);
  });
});

describe('changesOf', () => {
  it('makes each a reference in the lane of the causes, as old as the oldest', () => {
    const causes = [entry(2), entry(1)];
    const changes = changesOf(['0035f00002EztxDAAR'], 'Contact', { causes, lane: 'realtime' });
    expect(changes).toEqual([
      {
        recordType: 'Contact',
        recordId: '0035f00002EztxDAAR',
        changeType: 'SNAPSHOT',
        source: 'fan-out',
        lane: 'realtime',
        commitTimestamp: 5_001,
      },
    ]);
    for (const change of changes) expect(recordChange.parse(change)).toEqual(change);
  });
});

describe('jobsOf', () => {
  const reader = { object: 'Contact', lookup: 'AccountId' };
  const one = [entry(1), entry(2)];
  const idsOf = (...args: Parameters<typeof jobsOf>) => jobsOf(...args).map(({ id }) => id);

  it('is a backfill.start that says what changed and who shows it', () => {
    const [job] = jobsOf('Account', reader, one);
    expect(command.parse(job)).toEqual(job);
    expect(job).toMatchObject({ id: expect.stringMatching(/^fan-out-Account-Contact-[0-9a-f]{16}$/), by: 'mapper' });
    expect(backfillStart.parse(job?.data)).toEqual({
      object: 'Contact',
      fanOut: { from: 'Account', ids: [idOf(1), idOf(2)], through: 'AccountId' },
    });
  });

  it('has the same id for the same changes, and for no others', () => {
    const same = idsOf('Account', reader, one);
    expect(idsOf('Account', reader, [entry(1), entry(2)])).toEqual(same);
    const others = [
      idsOf('Account', { ...reader, lookup: 'Account.ParentId' }, one),
      idsOf('Account', { ...reader, object: 'Lead' }, one),
      idsOf('Account', reader, [entry(1)]),
      idsOf('Account', reader, [entry(1), entry(2, { offsets: ['0:2', '0:7'] })]),
      // The first topic was made anew, and counts from 0 again
      idsOf('Account', reader, [entry(1), entry(2, { newestCommitTimestamp: 10_000 })]),
    ].flat();
    expect(new Set([...same, ...others]).size).toBe(6);
  });

  it('takes as many ids as one query has room for', () => {
    const many = Array.from({ length: MAX_FAN_OUT_IDS + 1 }, (_, n) => entry(n));
    const jobs = jobsOf('Account', reader, many);
    expect(jobs.map(({ data }) => backfillStart.parse(data).fanOut?.ids.length)).toEqual([MAX_FAN_OUT_IDS, 1]);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(2);
  });
});
