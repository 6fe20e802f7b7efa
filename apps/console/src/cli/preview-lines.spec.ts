import { expect, it } from 'vitest';
import type { RecordPreview } from '../core/preview-answers.js';
import { previewLines } from './preview-lines.js';

const LEAD = '00Q5f000005bwLFEAY';
const preview: RecordPreview = {
  object: 'Lead',
  recordId: LEAD,
  mapping: { file: 'Lead.yaml', version: 'a1' },
  soql: 'SELECT Id FROM Lead',
  record: { Id: LEAD },
  fate: 'written',
  text: 'Would be written.',
  body: { email: 'a@example.com' },
  mergeNestedObjects: false,
  profile: 'found',
  difference: [
    { path: 'dataFields.A', kind: 'changed', before: 1, after: '2' },
    { path: 'dataFields.Name.Nick', kind: 'lost', before: 'x' },
  ],
  claimants: [
    { object: 'Contact', recordId: '0035f00002EztxDAAR', hasAddress: true },
    { object: 'Lead', recordId: LEAD, hasAddress: false },
  ],
  optOut: { allMarketing: true, channelIds: [1, 2], messageTypeIds: [3] },
  shortened: ['dataFields.Notes'],
};

it('tells everything there is', () => {
  expect(previewLines(preview)).toEqual([
    `Lead ${LEAD} by Lead.yaml (version a1)`,
    'Would be written.',
    '',
    'Query',
    'SELECT Id FROM Lead',
    '',
    'Record',
    `{\n  "Id": "${LEAD}"\n}`,
    '',
    'Body (mergeNestedObjects: false, nested objects are replaced)',
    '{\n  "email": "a@example.com"\n}',
    '',
    'Difference from the profile',
    '  dataFields.A          1 -> "2"',
    '  dataFields.Name.Nick  "x" -> (nothing)  (lost: its object is replaced, and the body does not name it)',
    '',
    'Records with this address (a Contact before a Lead before others, then the one created later)',
    '  Contact 0035f00002EztxDAAR  has it',
    `  Lead ${LEAD}  (this one)`,
    '',
    'Says no to all marketing email, channels 1, 2, message types 3: it would be unsubscribed from that.',
    '',
    'Cut to what Iterable keeps: dataFields.Notes',
  ]);
});

it('leaves out what there is not', () => {
  const [only] = preview.claimants;
  const bare = { ...preview, body: null, difference: [], optOut: null, shortened: [], claimants: only ? [only] : [] };
  expect(previewLines(bare)).toEqual([
    `Lead ${LEAD} by Lead.yaml (version a1)`,
    'Would be written.',
    '',
    'Query',
    'SELECT Id FROM Lead',
    '',
    'Record',
    `{\n  "Id": "${LEAD}"\n}`,
  ]);
});
