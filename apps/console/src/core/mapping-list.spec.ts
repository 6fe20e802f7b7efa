import { mappingVersion, parseMapping, type Mapping } from '@libs/mapping';
import { expect, it } from 'vitest';
import { listMappings } from './mapping-list.js';

const text = 'object: Lead\nfields:\n  Email: email\n  LastName: dataFields.Last\nconstants:\n  dataFields.From: crm\n';
const version = mappingVersion(parseMapping('Lead.yaml', text) as Mapping);
const lead = { object: 'Lead', version, since: 5 };
const files = [{ name: 'Lead.yaml', text }];

it.each([
  ['the file of the version in force', lead, files, { ...lead, file: 'Lead.yaml', fields: 3 }],
  ['files of another version', { ...lead, version: 'old' }, files, { ...lead, version: 'old' }],
  ['no files', lead, [], lead],
  ['a broken file', lead, [{ name: 'Lead.yaml', text: 'object: 7' }], lead],
])('%s', (_, one, given, expected) => {
  expect(listMappings({ inForce: [one], refused: null }, given, [])).toEqual({ inForce: [expected], refused: null });
});

it('says what becomes of each object, and passes on what is refused', () => {
  const refused = { mistakes: ['Lead.yaml:1:1: no'], since: 7 };
  const planned = [{ object: 'Lead', state: 'needed' as const, reason: 'why' }];
  expect(listMappings({ inForce: [lead], refused }, [], planned)).toEqual({
    inForce: [{ ...lead, backfill: { state: 'needed', reason: 'why' } }],
    refused,
  });
});
