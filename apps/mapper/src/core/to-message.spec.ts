import { describe, expect, it } from 'vitest';
import type { BatchEntry, ProjectType } from '@libs/contracts';
import {
  compileMapping,
  targetsOf,
  type CompiledMapping,
  type MappedRecord,
  type Mapping,
  type SourceRecord,
} from '@libs/mapping';
import { toMessage, type Verdict } from './to-message.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';
const STAMP_MS = Date.UTC(2026, 10, 24, 8, 41, 5);

const file: Mapping = {
  file: 'Lead.yaml',
  object: 'Lead',
  fields: [
    { source: 'Email', target: 'email' },
    { source: 'LastName', target: 'dataFields.Name.Last' },
    { source: 'Title', target: 'dataFields.Title' },
  ],
  constants: new Map([['dataFields.Name.Kind', 'person']]),
};
const mapping = compileMapping(file);
const belonging = (belongsTo: string) => compileMapping({ ...file, belongsTo });
const live = {
  Id: LEAD,
  IsDeleted: false,
  SystemModstamp: '2026-11-24T08:41:05.000+0000',
  CreatedDate: '2026-11-20T00:00:00.000+0000',
  Email: 'Ann@X.io',
  LastName: 'Byron',
  Title: 'Dr',
  Contact__c: CONTACT,
};

interface Case {
  readonly row?: SourceRecord | null;
  readonly entry?: Partial<BatchEntry>;
  readonly compiled?: Partial<CompiledMapping>;
  readonly mapped?: MappedRecord;
  readonly projectType?: ProjectType;
  readonly mapsContacts?: boolean;
}

function verdict({
  row = live,
  entry,
  compiled,
  mapped,
  projectType = 'email',
  mapsContacts = true,
}: Case = {}): Verdict {
  const rules = {
    compiled: { ...mapping, ...compiled },
    targets: targetsOf(file),
    projectType,
    mapsContacts,
    fetchedAtMs: 70,
  };
  const full: BatchEntry = {
    recordId: LEAD,
    changeType: 'UPDATE',
    offsets: ['3:7'],
    jobIds: [],
    oldestCommitTimestamp: 1_000,
    newestCommitTimestamp: 7_999,
    ...entry,
  };
  const fetched = row === null ? undefined : { row, fetchedAtMs: 50 };
  const made = mapped ?? (row === null ? undefined : (mapping.apply(row) as MappedRecord));
  return toMessage({ recordType: 'Lead', entry: full, fetched, mapped: made }, rules);
}

/** What the message says beside what it covers; anything else that became of the entry as it is. */
function said(case_: Case): unknown {
  const found = verdict(case_);
  if (found.kind !== 'message') return found;
  const { recordType, recordId, offsets, jobIds, commitTimestamp, version, ...rest } = found.message;
  expect({ recordType, recordId, offsets, jobIds, commitTimestamp }).toEqual({
    recordType: 'Lead',
    recordId: LEAD,
    offsets: ['3:7'],
    jobIds: [],
    commitTimestamp: 1_000,
  });
  expect(version).toEqual(
    case_.row === null ? { modstampMs: 7_000, fetchedAtMs: 70 } : { modstampMs: STAMP_MS, fetchedAtMs: 50 },
  );
  return rest;
}

const removal = (reason: string, more: object = {}) => ({
  kind: 'removal',
  gone: true,
  outcome: 'skipped',
  reason,
  ...more,
});
const withdrawn = (reason: string, outcome = 'skipped') => ({
  kind: 'removal',
  gone: false,
  outcome,
  reason,
});
/** Every update names it. */
const schema = mapping.schema.id;
const dataFields = { Name: { Last: 'Byron', Kind: 'person' }, Title: 'Dr' };
const createdMs = Date.UTC(2026, 10, 20);
const optOut = { allMarketing: true, channelIds: [], messageTypeIds: [] };
const deleted = { ...live, IsDeleted: true };
const converted = { ...live, IsConverted: true, ConvertedContactId: CONTACT };

describe('toMessage of a person', () => {
  it.each<[string, Case, unknown]>([
    [
      'is an update with the claim and its age',
      {},
      { kind: 'update', email: 'ann@x.io', dataFields, schema, createdMs },
    ],
    [
      'is known by its own id where the project does',
      { projectType: 'user-id' },
      { kind: 'update', userId: LEAD, email: 'ann@x.io', dataFields, schema, createdMs },
    ],
    [
      'claims nothing without a usable address',
      { projectType: 'hybrid', row: { ...live, Email: 'no' } },
      { kind: 'update', userId: LEAD, email: null, dataFields, schema, createdMs },
    ],
    [
      'says what it said no to, and how nested objects are written',
      { mapped: { kind: 'user', email: 'ann@x.io', dataFields, optOut }, compiled: { replaceNested: true } },
      { kind: 'update', email: 'ann@x.io', dataFields, schema, createdMs, optOut, replaceNested: true },
    ],
    [
      'without a creation date',
      { row: { ...live, CreatedDate: undefined } },
      { kind: 'update', email: 'ann@x.io', dataFields, schema },
    ],
    ['without an email is a user no more', { row: { ...live, Email: null } }, withdrawn('mapping.no_email')],
    ['with an unusable one too', { row: { ...live, Email: 'ann' } }, withdrawn('mapping.invalid_email')],
    [
      'with an unusable user id too',
      { projectType: 'hybrid', mapped: { kind: 'user', userId: 'é', dataFields } },
      withdrawn('mapping.invalid_user_id'),
    ],
    ['that `when` leaves out too', { mapped: { kind: 'filtered' } }, withdrawn('mapping.filtered', 'filtered')],
    [
      'is dead when its expression fails',
      { mapped: { kind: 'failed', code: 'mapping.expression_failed', message: 'why' } },
      { kind: 'dead', code: 'mapping.expression_failed', message: 'why' },
    ],
    ['goes on as the Contact once converted', { row: converted }, { kind: 'rename', toRecordId: CONTACT }],
    [
      'tells what to flag it with, should the Contact be deleted',
      { row: converted, compiled: { flagFields: { Deleted: true } } },
      { kind: 'rename', toRecordId: CONTACT, flagFields: { Deleted: true } },
    ],
    [
      'goes on as the Contact whatever else is wrong with it',
      { row: converted, mapped: { kind: 'filtered' } },
      { kind: 'rename', toRecordId: CONTACT },
    ],
    [
      'stays a Lead where Contacts are not synced',
      { row: converted, mapsContacts: false },
      { kind: 'update', email: 'ann@x.io', dataFields, schema, createdMs },
    ],
    [
      'stays a Lead when the Contact is not told',
      { row: { ...converted, ConvertedContactId: null } },
      { kind: 'update', email: 'ann@x.io', dataFields, schema, createdMs },
    ],
    ['in the recycle bin is gone', { row: deleted }, removal('salesforce.deleted')],
    [
      'in the recycle bin is gone though it was converted',
      { row: { ...converted, IsDeleted: true } },
      removal('salesforce.deleted'),
    ],
    [
      'in the recycle bin is gone though its expression fails',
      { row: deleted, mapped: { kind: 'failed', code: 'mapping.expression_failed', message: 'why' } },
      removal('salesforce.deleted'),
    ],
    [
      'merged is gone',
      { row: { ...deleted, MasterRecordId: LEAD } },
      removal('salesforce.merged', { mergedInto: LEAD }),
    ],
    [
      'gone is flagged as the mapping says',
      { row: deleted, compiled: { flagFields: { Salesforce: { Deleted: true } } } },
      removal('salesforce.deleted', { flagFields: { Salesforce: { Deleted: true } } }),
    ],
    ['purged is gone', { row: null, entry: { changeType: 'DELETE' } }, removal('salesforce.deleted')],
    [
      'purged is flagged too',
      { row: null, entry: { changeType: 'GAP_DELETE' }, compiled: { flagFields: { Gone: true } } },
      removal('salesforce.deleted', { flagFields: { Gone: true } }),
    ],
    // Facts, Salesforce §8, 16: no access is no deletion
    ['not found is left alone', { row: null }, { kind: 'skipped', reason: 'salesforce.not_found' }],
    [
      'not found by a backfill is left alone',
      { row: null, entry: { changeType: 'SNAPSHOT' } },
      { kind: 'skipped', reason: 'salesforce.not_found' },
    ],
  ])('%s', (_what, case_, expected) => {
    expect(said(case_)).toEqual(expected);
  });

  it('has no age without a stamp', () => {
    expect(verdict({ row: { ...live, SystemModstamp: null } })).toMatchObject({
      kind: 'dead',
      code: 'mapper.no_modstamp',
    });
  });
});

describe('toMessage of what belongs to a person', () => {
  it.each<[string, Case, unknown]>([
    [
      'is an update of the profile of the owner',
      {},
      { kind: 'update', email: 'ann@x.io', dataFields, schema, belongsTo: CONTACT },
    ],
    [
      'leaves the address of a profile with an id of its own to the owner',
      { projectType: 'user-id' },
      { kind: 'update', userId: CONTACT, dataFields, schema, belongsTo: CONTACT },
    ],
    [
      'that `when` leaves out claims nothing, so nothing is withdrawn',
      { mapped: { kind: 'filtered' } },
      { kind: 'filtered', reason: 'mapping.filtered' },
    ],
    [
      'belongs to nobody',
      { row: { ...live, Contact__c: null } },
      { kind: 'skipped', reason: 'mapping.belongs_to_nobody' },
    ],
    ...[null, 'ann'].map((Email): [string, Case, unknown] => [
      `needs no address of its own (${Email})`,
      { row: { ...live, Email } },
      { kind: 'update', dataFields, schema, belongsTo: CONTACT },
    ]),
    [
      'in the recycle bin takes what it wrote with it',
      { row: deleted },
      removal('salesforce.deleted', {
        belongsTo: CONTACT,
        flagFields: { Name: { Last: null, Kind: null }, Title: null },
      }),
    ],
    [
      'in the recycle bin does so whatever its mapping makes of it now',
      { row: deleted, mapped: { kind: 'filtered' } },
      removal('salesforce.deleted', {
        belongsTo: CONTACT,
        flagFields: { Name: { Last: null, Kind: null }, Title: null },
      }),
    ],
    [
      'in the recycle bin, of nobody',
      { row: { ...deleted, Contact__c: null } },
      { kind: 'skipped', reason: 'salesforce.deleted' },
    ],
    [
      'purged cannot be told whose it was',
      { row: null, entry: { changeType: 'DELETE' } },
      { kind: 'skipped', reason: 'salesforce.deleted' },
    ],
  ])('%s', (_what, case_, expected) => {
    expect(said({ compiled: belonging('Contact__c'), ...case_ })).toEqual(expected);
  });

  it('finds the owner through a parent', () => {
    const row = { ...live, Order__r: { Contact__c: CONTACT } };
    expect(said({ row, compiled: belonging('Order__r.Contact__c') })).toMatchObject({ belongsTo: CONTACT });
    const none = { ...live, Order__r: null };
    expect(said({ row: none, compiled: belonging('Order__r.Contact__c') })).toEqual({
      kind: 'skipped',
      reason: 'mapping.belongs_to_nobody',
    });
  });
});
