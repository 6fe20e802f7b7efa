import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcome, deadLetter, toRecordId, userUpdate, type BatchEntry, type RecordBatch } from '@libs/contracts';
import { compileMapping, type SourceRecord } from '@libs/mapping';
import { planBatch, type BatchPlan, type FetchedRows, type MappedRows, type PlanContext } from './plan-batch.js';

const LEAD = '00Q5f000005bwLFEAY';
const STAMP = '2026-11-24T08:41:05.000+0000';

const compiled = compileMapping({
  file: 'Lead.yaml',
  object: 'Lead',
  fields: [
    { source: 'Email', target: 'email' },
    { source: 'LastName', target: 'dataFields.Name.Last' },
  ],
});

const context: PlanContext = { lane: 'realtime', compiled, projectType: 'email', maxUpdateBytes: 5_000, nowMs: 99 };

function entry(changes: Partial<BatchEntry> = {}): BatchEntry {
  return {
    recordId: LEAD,
    changeType: 'UPDATE',
    offsets: ['3:7', '3:9'],
    jobIds: ['job-1'],
    oldestCommitTimestamp: 1_000,
    newestCommitTimestamp: 2_000,
    ...changes,
  };
}

function batch(entries: readonly BatchEntry[], recordType = 'Lead'): RecordBatch {
  return { batchId: 'b', recordType, entries: [...entries], windowStart: 0, windowEnd: 1 };
}

function rowsOf(...rows: readonly SourceRecord[]): FetchedRows {
  return new Map(rows.map((row) => [String(row['Id']), { row, fetchedAtMs: 50 }]));
}

const good = { Id: LEAD, IsDeleted: false, SystemModstamp: STAMP, Email: 'Ann@X.io', LastName: 'Byron' };

function planned(recordBatch: RecordBatch, rows: FetchedRows, with_: PlanContext): BatchPlan {
  const mapped = [...rows].map(([id, { row }]) => [id, with_.compiled?.apply(row)] as const);
  return planBatch(recordBatch, rows, new Map(mapped) as MappedRows, with_);
}

describe('planBatch', () => {
  it('makes an update that stands for every change of its entry', () => {
    expect(planned(batch([entry()]), rowsOf(good), context)).toEqual({
      updates: [
        {
          kind: 'update',
          recordType: 'Lead',
          recordId: LEAD,
          offsets: ['3:7', '3:9'],
          jobIds: ['job-1'],
          commitTimestamp: 1_000,
          version: { modstampMs: Date.UTC(2026, 10, 24, 8, 41, 5), fetchedAtMs: 50 },
          email: 'ann@x.io',
          dataFields: { Name: { Last: 'Byron' } },
        },
      ],
      outcomes: [],
      deadLetters: [],
    });
  });

  it.each([
    ['the row is not there', rowsOf(), {}, 'Lead', 'salesforce.not_found'],
    ['it is in the recycle bin', rowsOf({ ...good, IsDeleted: true }), {}, 'Lead', 'salesforce.deleted'],
    ['no email', rowsOf({ ...good, Email: null }), {}, 'Lead', 'mapping.no_email'],
    ['an unusable email', rowsOf({ ...good, Email: 'ann' }), {}, 'Lead', 'mapping.invalid_email'],
    ['an Account', rowsOf(), { compiled: null }, 'Account', 'mapper.account_not_fanned_out'],
    ['an object without a mapping', rowsOf(), { compiled: null }, 'Case', 'mapping.unmapped_object'],
  ])('skips, counted, when %s', (_why, rows, changes, recordType, reason) => {
    expect(planned(batch([entry()], recordType), rows, { ...context, ...changes })).toEqual({
      updates: [],
      outcomes: [
        {
          recordType,
          recordId: LEAD,
          offsets: ['3:7', '3:9'],
          jobIds: ['job-1'],
          lane: 'realtime',
          kind: 'skipped',
          reason,
          commitTimestamp: 1_000,
          time: 99,
        },
      ],
      deadLetters: [],
    });
  });

  it.each([
    ['without a stamp', { ...good, SystemModstamp: null }, 'mapper.no_modstamp'],
    ['too large for the log', { ...good, LastName: 'é'.repeat(2_400) }, 'mapper.update_too_large'],
  ])('dead-letters a row %s, without its values, and goes on', (_why, row, code) => {
    const other = { ...good, Id: '00QVS000005jAeg2AE' };
    const plan = planned(
      batch([entry(), entry({ recordId: other.Id, offsets: ['3:8'] })]),
      rowsOf(row, other),
      context,
    );
    expect(plan.deadLetters).toMatchObject([
      { recordId: LEAD, offsets: ['3:7', '3:9'], stage: 'mapper', code, attempts: 1, firstTime: 99, lastTime: 99 },
    ]);
    expect(plan.outcomes).toMatchObject([{ recordId: LEAD, offsets: ['3:7', '3:9'], kind: 'dead', reason: code }]);
    expect(plan.updates).toMatchObject([{ recordId: other.Id, offsets: ['3:8'] }]);
    expect(JSON.stringify(plan.deadLetters)).not.toMatch(/ann|é/i);
  });

  it('knows a user by the record id where the project does', () => {
    const plan = planned(batch([entry()]), rowsOf({ ...good, Email: null }), { ...context, projectType: 'hybrid' });
    expect(plan.updates).toMatchObject([{ userId: LEAD, email: null }]);
    expect(plan.outcomes).toEqual([]);
  });
});

describe('planBatch, any batch and any answer', () => {
  const idOf = (n: number) => toRecordId(`00Q${String(n).padStart(12, '0')}`) as string;
  const anyRow = fc.constantFrom<SourceRecord | null>(
    null,
    good,
    { ...good, IsDeleted: true },
    { ...good, Email: null },
    { ...good, Email: 'no' },
    { ...good, SystemModstamp: 'never' },
    { ...good, LastName: 'x'.repeat(6_000) },
    { ...good, LastName: null },
    {},
  );
  const anyEntries = fc.uniqueArray(
    fc.record({ n: fc.integer({ min: 0, max: 500 }), changes: fc.integer({ min: 1, max: 5 }), row: anyRow }),
    { selector: ({ n }) => n, minLength: 1, maxLength: 40 },
  );

  // Invariant 4.
  it('puts every offset into exactly one update or outcome, and writes only what its topics take', () => {
    fc.assert(
      fc.property(
        anyEntries,
        fc.constantFrom('email', 'user-id', 'hybrid'),
        fc.constantFrom('Lead', 'Account', 'Case'),
        (specs, projectType, recordType) => {
          const entries = specs.map(({ n, changes }) =>
            entry({ recordId: idOf(n), offsets: Array.from({ length: changes }, (_, change) => `${n}:${change}`) }),
          );
          const rows = new Map(
            specs.flatMap(({ n, row }) => (row === null ? [] : [[idOf(n), { row, fetchedAtMs: 1 }] as const])),
          );
          const plan = planned(batch(entries, recordType), rows, {
            ...context,
            projectType,
            compiled: recordType === 'Lead' ? compiled : null,
          });
          const ends = [...plan.updates, ...plan.outcomes].flatMap((end) => end.offsets);
          expect(ends.toSorted()).toEqual(entries.flatMap((one) => one.offsets).toSorted());
          expect(plan.deadLetters.flatMap((letter) => letter.offsets)).toEqual(
            plan.outcomes.filter((end) => end.kind === 'dead').flatMap((end) => end.offsets),
          );
          for (const update of plan.updates) expect(userUpdate.parse(update)).toEqual(update);
          for (const end of plan.outcomes) expect(outcome.parse(end)).toEqual(end);
          for (const letter of plan.deadLetters) expect(deadLetter.parse(letter)).toEqual(letter);
        },
      ),
    );
  });
});
