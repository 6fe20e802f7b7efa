import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcome, deadLetter, toRecordId, userMessage, type BatchEntry, type RecordBatch } from '@libs/contracts';
import { compileMapping, targetsOf, type CompiledMapping, type Mapping, type SourceRecord } from '@libs/mapping';
import { planBatch, type BatchPlan, type FetchedRows, type MappedRows, type PlanContext } from './plan-batch.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';
const STAMP = '2026-11-24T08:41:05.000+0000';

const file: Mapping = {
  file: 'Lead.yaml',
  object: 'Lead',
  fields: [
    { source: 'Email', target: 'email' },
    { source: 'LastName', target: 'dataFields.Name.Last' },
  ],
};
const compiled = compileMapping(file);

const context: PlanContext = {
  lane: 'realtime',
  compiled,
  unmappedEnd: { kind: 'skipped', reason: 'mapping.unmapped_object' },
  projectType: 'email',
  targets: targetsOf(file),
  mapsContacts: true,
  maxMessageBytes: 5_000,
  fetchedAtMs: 70,
  nowMs: 99,
};

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
  it('makes a message that stands for every change of its entry', () => {
    expect(planned(batch([entry()]), rowsOf(good), context)).toEqual({
      messages: [
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
          schema: compiled.schema.id,
        },
      ],
      outcomes: [],
      deadLetters: [],
    });
  });

  it.each([
    ['the row is not there', { compiled }, 'skipped', 'salesforce.not_found'],
    ['nobody maps or shows it', { compiled: null }, 'skipped', 'mapping.unmapped_object'],
    [
      'others show it',
      { compiled: null, unmappedEnd: { kind: 'expanded', reason: 'mapper.fanned_out' } as const },
      'expanded',
      'mapper.fanned_out',
    ],
  ])('ends an entry, counted, when %s', (_why, changes, kind, reason) => {
    expect(planned(batch([entry()], 'Account'), rowsOf(), { ...context, ...changes })).toEqual({
      messages: [],
      outcomes: [
        {
          recordType: 'Account',
          recordId: LEAD,
          offsets: ['3:7', '3:9'],
          jobIds: ['job-1'],
          lane: 'realtime',
          kind,
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
    expect(plan.messages).toMatchObject([{ recordId: other.Id, offsets: ['3:8'] }]);
    expect(JSON.stringify(plan.deadLetters)).not.toMatch(/ann|é/i);
  });
});

describe('planBatch, any batch and any answer', () => {
  const idOf = (n: number) => toRecordId(`00Q${String(n).padStart(12, '0')}`) as string;
  const anyRow = fc.constantFrom<SourceRecord | null>(
    null,
    good,
    { ...good, IsDeleted: true },
    { ...good, IsDeleted: true, MasterRecordId: LEAD },
    { ...good, IsConverted: true, ConvertedContactId: CONTACT },
    { ...good, IsConverted: true, ConvertedContactId: null },
    { ...good, Email: null },
    { ...good, Email: 'no' },
    { ...good, Contact__c: CONTACT },
    { ...good, Contact__c: CONTACT, IsDeleted: true },
    { ...good, SystemModstamp: 'never' },
    { ...good, LastName: 'x'.repeat(6_000) },
    { ...good, LastName: null },
    {},
  );
  const anyMapping = fc.constantFrom<CompiledMapping | null>(
    compiled,
    compileMapping({ ...file, belongsTo: 'Contact__c' }),
    { ...compiled, flagFields: { Salesforce: { Deleted: true } }, replaceNested: true },
    { ...compiled, apply: () => ({ kind: 'filtered' }) },
    { ...compiled, apply: () => ({ kind: 'failed', code: 'mapping.expression_failed', message: 'no' }) },
    null,
  );
  const anyEntries = fc.uniqueArray(
    fc.record({
      n: fc.integer({ min: 0, max: 500 }),
      changes: fc.integer({ min: 1, max: 5 }),
      changeType: fc.constantFrom('UPDATE', 'SNAPSHOT', 'DELETE', 'GAP_DELETE', 'UNDELETE'),
      row: anyRow,
    }),
    { selector: ({ n }) => n, minLength: 1, maxLength: 40 },
  );

  // Invariant 4.
  it('puts every offset into exactly one message or outcome, and writes only what its topics take', () => {
    fc.assert(
      fc.property(
        anyEntries,
        anyMapping,
        fc.constantFrom('email', 'user-id', 'hybrid'),
        fc.constantFrom('Lead', 'Registration__c'),
        fc.boolean(),
        (specs, mapping, projectType, recordType, mapsContacts) => {
          const entries = specs.map(({ n, changes, changeType }) =>
            entry({
              recordId: idOf(n),
              changeType,
              offsets: Array.from({ length: changes }, (_, change) => `${n}:${change}`),
            }),
          );
          const rows = new Map(
            specs.flatMap(({ n, row }) => (row === null ? [] : [[idOf(n), { row, fetchedAtMs: 1 }] as const])),
          );
          const plan = planned(batch(entries, recordType), rows, {
            ...context,
            projectType,
            mapsContacts,
            compiled: mapping,
          });
          const ends = [...plan.messages, ...plan.outcomes].flatMap((end) => end.offsets);
          const given = entries.flatMap((one) => one.offsets);
          expect(new Set(ends)).toEqual(new Set(given));
          expect(ends).toHaveLength(given.length);
          expect(plan.deadLetters.flatMap((letter) => letter.offsets)).toEqual(
            plan.outcomes.filter((end) => end.kind === 'dead').flatMap((end) => end.offsets),
          );
          for (const message of plan.messages) expect(userMessage.parse(message)).toEqual(message);
          for (const end of plan.outcomes) expect(outcome.parse(end)).toEqual(end);
          for (const letter of plan.deadLetters) expect(deadLetter.parse(letter)).toEqual(letter);
        },
      ),
    );
  });
});
