import { describe, expect, it } from 'vitest';
import { foreignTargets } from './foreign-targets.js';
import { parseMappingFiles } from './parse-mapping-files.js';

const file = (name: string, ...lines: string[]) => ({
  name: `${name}.yaml`,
  text: [`object: ${name}`, ...lines].join('\n'),
});
const lead = file(
  'Lead',
  'fields:',
  '  Email: email',
  '  Status: dataFields.Lead.Status',
  '  Rating: dataFields.Lead.Rating',
  '  City: dataFields.Address.City',
);
const contact = file(
  'Contact',
  'fields:',
  '  Email: email',
  '  MailingCity: dataFields.Address.City',
  '  MailingCountry: dataFields.Address.Country',
  'transform:',
  '  dataFields.Full.Name: FirstName',
  'constants:',
  '  dataFields.Origin: salesforce',
);
const order = file('Order__c', 'fields:', '  Name: dataFields.LastOrder', 'identity: { belongsTo: Contact__c }');

describe('foreignTargets', () => {
  const set = parseMappingFiles([lead, contact, order]);

  it('are the shortest paths of what only others write, from every block, and nothing of who is no person', () => {
    expect(foreignTargets(set, 'Lead')).toEqual(['dataFields.Address.Country', 'dataFields.Full', 'dataFields.Origin']);
    expect(foreignTargets(set, 'Contact')).toEqual(['dataFields.Lead']);
    expect(foreignTargets(set, 'Order__c')).toEqual([]);
    expect(foreignTargets(set, 'Account')).toEqual([]);
  });

  it.each([
    ['an object that it writes as one value', 'dataFields.Place', 'dataFields.Place.City'],
    ['a value that it writes an object into', 'dataFields.Place.City', 'dataFields.Place'],
    ['the same', 'dataFields.Place', 'dataFields.Place'],
  ])('leave alone what is inside or around its own: %s', (_what, own, foreign) => {
    const mappings = parseMappingFiles([
      file('Lead', 'fields:', `  City: ${own}`),
      file('Contact', 'fields:', `  MailingCity: ${foreign}`),
    ]);
    expect(foreignTargets(mappings, 'Lead')).toEqual([]);
  });
});
