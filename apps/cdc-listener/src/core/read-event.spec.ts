import { recordChange } from '@libs/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvent } from './read-event.js';

const LEAD = '00Q5f000005bwLFEAY';
const OTHER = '00QVS000005jAeg2AE';
const COMMIT = 1_712_694_387_000;

/** The header of a real event (samples/cdc/01), as JSON.parse gives it: `commitNumber` may be rounded, nobody reads it. */
const header = (own: Record<string, unknown> = {}) => ({
  commitNumber: 1_721_136_551_405_445_000,
  commitUser: '0055f000005mc66AAA',
  sequenceNumber: 1,
  entityName: 'Lead',
  changeType: 'CREATE',
  changedFields: [],
  changeOrigin: 'com/salesforce/api/soap/60.0;client=SfdcInternalAPI/',
  transactionKey: '0001ae4b-7024-a64a-87f0-f2c8cebdca76',
  commitTimestamp: COMMIT,
  recordIds: [LEAD],
  ...own,
});

const change = (recordId: string, changeType = 'CREATE') => ({
  recordType: 'Lead',
  recordId,
  changeType,
  source: 'cdc',
  lane: 'realtime',
  commitTimestamp: COMMIT,
  transactionKey: '0001ae4b-7024-a64a-87f0-f2c8cebdca76',
});

describe('readEvent', () => {
  it.each([
    'CREATE',
    'UPDATE',
    'DELETE',
    'UNDELETE',
    'GAP_CREATE',
    'GAP_UPDATE',
    'GAP_DELETE',
    'GAP_UNDELETE',
    'SNAPSHOT',
  ])('makes one change of a %s', (changeType) => {
    const read = readEvent(header({ changeType }));
    expect(read.changes).toEqual([change(LEAD, changeType)]);
    expect([read.holes, read.problems]).toEqual([[], []]);
  });

  it.each([
    ['two records', [LEAD, OTHER], [LEAD, OTHER]],
    ['one record twice', [LEAD, LEAD], [LEAD]],
    ['ids of 15 characters', [LEAD.slice(0, 15), LEAD], [LEAD]],
  ])('makes one change for each record: %s', (_what, recordIds, expected) => {
    expect(readEvent(header({ recordIds })).changes.map(({ recordId }) => recordId)).toEqual(expected);
  });

  it.each([
    ['an overflow', { changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] }, 'overflow'],
    ['an overflow with other ids', { changeType: 'GAP_OVERFLOW', recordIds: [LEAD, OTHER] }, 'overflow'],
    ['the empty id', { changeType: 'GAP_UPDATE', recordIds: ['000000000000000AAA'] }, 'overflow'],
    ['a wildcard', { changeType: 'GAP_UPDATE', recordIds: ['00Q*'] }, 'wildcard'],
  ])('finds a hole, and no record, in %s', (_what, own, reason) => {
    const read = readEvent(header(own));
    expect(read.holes).toEqual([{ reason, recordType: 'Lead', sinceMs: COMMIT }]);
    expect([read.changes, read.problems]).toEqual([[], []]);
  });

  it('lets the good ids of an event pass beside a bad one and a wildcard', () => {
    const read = readEvent(header({ recordIds: ['nonsense', LEAD, '00Q*'] }));
    expect(read.changes.map(({ recordId }) => recordId)).toEqual([LEAD]);
    expect(read.holes.map(({ reason }) => reason)).toEqual(['wildcard']);
    expect(read.problems).toEqual([{ recordType: 'Lead', message: 'a record id of a change event is none' }]);
  });

  it.each([
    ['no header', undefined, 'header'],
    ['null', null, 'header'],
    ['text', 'x', 'header'],
    ['no object', header({ entityName: undefined }), 'entityName'],
    ['an object that is no name', header({ entityName: "Lead' " }), 'entityName'],
    ['no ids', header({ recordIds: [] }), 'recordIds'],
    ['ids that are no list', header({ recordIds: LEAD }), 'recordIds'],
  ])('gives one problem for %s', (_what, raw, field) => {
    const { changes, problems } = readEvent(raw);
    expect(changes).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(`unreadable ${field}`);
  });

  it.each([
    ['a change type nobody told us of', { changeType: 'REPLACE' }],
    ['no commit time', { commitTimestamp: undefined }],
  ])('names the records of an event with %s, so that they can be fetched', (_what, own) => {
    const { changes, problems } = readEvent(header({ ...own, recordIds: [LEAD, OTHER, '000000000000000AAA', 'x'] }));
    expect(changes).toEqual([]);
    expect(problems.map(({ recordType, recordId }) => [recordType, recordId])).toEqual([
      ['Lead', LEAD],
      ['Lead', OTHER],
    ]);
  });

  it('never throws, never repeats a value, and gives only changes that the topic takes', () => {
    const anyHeader = fc.record(
      {
        entityName: fc.oneof(fc.constantFrom('Lead', 'My__c'), fc.anything()),
        recordIds: fc.oneof(fc.array(fc.oneof(fc.constantFrom(LEAD, OTHER, '001*'), fc.string())), fc.anything()),
        changeType: fc.oneof(fc.constantFrom('CREATE', 'GAP_OVERFLOW'), fc.anything()),
        commitTimestamp: fc.oneof(fc.integer(), fc.anything()),
        transactionKey: fc.oneof(fc.string(), fc.anything()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(anyHeader, fc.anything()), (raw) => {
        const read = readEvent(raw);
        for (const one of read.changes) expect(recordChange.safeParse(one).success).toBe(true);
        const ids = read.changes.map(({ recordId }) => recordId);
        expect(new Set(ids).size).toBe(ids.length);
        expect(read.changes.length + read.holes.length + read.problems.length).toBeGreaterThan(0);
      }),
    );
  });
});
