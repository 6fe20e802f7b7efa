import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordChange } from '@libs/contracts';
import { collapse, type TakenChange } from './collapse.js';
import { batchLimits, planBatches } from './plan-batches.js';
import { windowOf } from './window-bounds.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';

function taken(offset: number, change: Partial<RecordChange> = {}): TakenChange {
  return {
    offset: `3:${offset}`,
    change: {
      recordType: 'Lead',
      recordId: LEAD,
      changeType: 'UPDATE',
      source: 'cdc',
      lane: 'realtime',
      commitTimestamp: 1_000 + offset,
      ...change,
    },
  };
}

describe('collapse', () => {
  it('makes five updates of one record one entry that stands for all five', () => {
    expect(collapse([1, 2, 3, 4, 5].map((offset) => taken(offset)))).toEqual([
      {
        recordId: LEAD,
        changeType: 'UPDATE',
        offsets: ['3:1', '3:2', '3:3', '3:4', '3:5'],
        jobIds: [],
        sources: ['cdc'],
        oldestCommitTimestamp: 1_001,
        newestCommitTimestamp: 1_005,
      },
    ]);
  });

  it.each([
    ['the newest commit decides', [taken(1, { changeType: 'CREATE' }), taken(2, { changeType: 'DELETE' })], 'DELETE'],
    ['a late delivery does not', [taken(1, { changeType: 'DELETE', commitTimestamp: 9_000 }), taken(2)], 'DELETE'],
    [
      'of one second, the later in the log',
      [taken(1, { commitTimestamp: 5 }), taken(2, { changeType: 'DELETE', commitTimestamp: 5 })],
      'DELETE',
    ],
    [
      'a row that was read, for whatever reason, says nothing of what happened',
      [taken(1, { changeType: 'DELETE' }), taken(2, { changeType: 'SNAPSHOT', source: 'fan-out' })],
      'DELETE',
    ],
    [
      'unless nothing else is known',
      [taken(1, { changeType: 'SNAPSHOT' }), taken(2, { changeType: 'SNAPSHOT' })],
      'SNAPSHOT',
    ],
  ])('%s', (_why, changes, changeType) => {
    expect(collapse(changes)[0]?.changeType).toBe(changeType);
  });

  it('keeps who found the changes, each once, and the span of their commits', () => {
    const [entry] = collapse([taken(5), taken(1, { source: 'fan-out', changeType: 'SNAPSHOT' }), taken(3)]);
    expect(entry).toMatchObject({
      sources: ['cdc', 'fan-out'],
      oldestCommitTimestamp: 1_001,
      newestCommitTimestamp: 1_005,
    });
  });

  it('keeps the distinct jobs and orders records by their newest change', () => {
    const entries = collapse([
      taken(1, { jobId: 'a' }),
      taken(2, { recordId: CONTACT, recordType: 'Contact', jobId: 'b' }),
      taken(3, { jobId: 'a' }),
      taken(4, { jobId: 'c' }),
    ]);
    expect(entries.map((entry) => [entry.recordId, entry.jobIds])).toEqual([
      [CONTACT, ['b']],
      [LEAD, ['a', 'c']],
    ]);
  });
});

describe('planBatches', () => {
  const changesOf = fc.array(
    fc.record({ record: fc.integer({ min: 0, max: 30 }), type: fc.constantFrom('Lead', 'Contact', 'Account') }),
    { maxLength: 200 },
  );
  const window = (specs: ReadonlyArray<{ record: number; type: string }>) => ({
    partition: 3,
    windowStart: 0,
    windowEnd: 60_000,
    changes: specs.map(({ record, type }, index) => taken(index, { recordId: `${type}-${record}`, recordType: type })),
  });

  it('puts every offset into exactly one entry, every record into one batch, and no type beside another', () => {
    fc.assert(
      fc.property(
        changesOf,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 30 }),
        (specs, maxEntries, maxOffsets) => {
          const closed = window(specs);
          const batches = planBatches(closed, { maxEntries, maxOffsets });
          const entries = batches.flatMap((batch) => batch.entries);
          expect(entries.flatMap((entry) => entry.offsets).toSorted()).toEqual(
            closed.changes.map((change) => change.offset).toSorted(),
          );
          expect(new Set(entries.map((entry) => entry.recordId)).size).toBe(entries.length);
          expect(new Set(batches.map((batch) => batch.batchId)).size).toBe(batches.length);
          for (const batch of batches) {
            expect(batch.entries.length).toBeGreaterThan(0);
            expect(batch.entries.length).toBeLessThanOrEqual(maxEntries);
            expect(batch.entries.every((entry) => entry.recordId.startsWith(batch.recordType))).toBe(true);
          }
        },
      ),
    );
  });

  it('gives the same batches for the same window, so that a repeat can be told', () => {
    const closed = window([
      { record: 1, type: 'Lead' },
      { record: 2, type: 'Lead' },
    ]);
    expect(planBatches(closed)).toEqual(planBatches(closed));
  });

  it('closes a batch at the limit of entries', () => {
    const specs = Array.from({ length: batchLimits.maxEntries + 1 }, (_, record) => ({ record, type: 'Lead' }));
    expect(planBatches(window(specs)).map((batch) => batch.entries.length)).toEqual([batchLimits.maxEntries, 1]);
  });
});

describe('windowOf', () => {
  it.each([
    [120_000, 60_000, 120_000, 180_000],
    [179_999, 60_000, 120_000, 180_000],
    [61_234, 2_000, 60_000, 62_000],
  ])('at %d, windows of %d ms: from %d to %d', (now, size, start, end) => {
    expect(windowOf(now, size)).toEqual({ start, end });
  });
});
