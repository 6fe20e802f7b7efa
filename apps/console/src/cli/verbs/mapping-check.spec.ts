import { expect, it } from 'vitest';
import { checkLines } from './mapping-check.js';
import { fieldLines } from './mapping-fields.js';

const finding = { file: 'Lead.yaml', line: 3, column: 5, code: 'mapping.x', message: 'no' };

it.each([
  [{ ok: true, errors: [], warnings: [] }, ['No mistake: here.']],
  [
    { ok: true, errors: [], warnings: [finding] },
    ['Lead.yaml:3:5: no [warning mapping.x]', '0 errors, 1 warning: here.'],
  ],
  [
    { ok: false, errors: [{ ...finding, suggestion: 'yes' }, finding], warnings: [] },
    [
      'Lead.yaml:3:5: no; did you mean "yes"? [error mapping.x]',
      'Lead.yaml:3:5: no [error mapping.x]',
      '2 errors, 0 warnings: here.',
    ],
  ],
])('a check %#', (answer, lines) => {
  expect(checkLines(answer, 'here')).toEqual(lines);
});

it('tells the fields of an object, one a line, long picklists cut', () => {
  const field = { label: 'L', length: null, values: null, calculated: null, mappedTo: [] };
  expect(
    fieldLines({
      object: 'Pet__c',
      label: 'Pet',
      file: null,
      fields: [
        { ...field, path: 'Name', type: 'string', length: 80 },
        { ...field, path: 'Kind__c', type: 'picklist', values: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] },
        {
          ...field,
          path: 'Age__c',
          type: 'double',
          calculated: 'roll-up' as const,
          mappedTo: ['dataFields.A', 'dataFields.B'],
        },
      ],
      parents: [{ path: 'Vet__r', objects: ['Account'] }],
    }),
  ).toEqual([
    'Pet__c: 3 fields, no mapping file',
    '',
    'Field    Label  Mapped to                   Type',
    'Name     L                                  string(80)',
    'Kind__c  L                                  picklist: a, b, c, d, e, f and 2 more',
    'Age__c   L      dataFields.A, dataFields.B  double, roll-up',
    '',
    'Lookups, whose fields can be mapped too (--depth 1 lists them):',
    '  Vet__r.…  Account',
  ]);
});
