import { describe, expect, it } from 'vitest';
import { mappingPlaces } from './mapping-places.js';

const text = `# Leads
object: Lead
when: Rating != "Cold"
fields:
  Email: email
  "FirstName": dataFields.Name.First
  Status: dataFields.Status
transform:
  dataFields.Town: >
    City & ', ' &
    Country
constants:
  dataFields.Kind: lead
values:
  dataFields.Status:
    map:
      Open: 1
      Closed: 2
consent:
  Newsletter__c: { when: [No, Never], unsubscribe: all }
`;

describe('mappingPlaces', () => {
  const places = mappingPlaces({ name: 'Lead.yaml', text });

  it('finds each source where it is named first', () => {
    expect(Object.fromEntries(places.sources)).toEqual({
      Email: { line: 5, column: 3 },
      FirstName: { line: 6, column: 3 },
      Status: { line: 7, column: 3 },
      Rating: { line: 3, column: 7 },
      City: { line: 10, column: 5 },
      Country: { line: 11, column: 5 },
      Newsletter__c: { line: 20, column: 3 },
    });
  });

  it('finds targets, values of lists, and what consent compares with', () => {
    expect(places.object).toEqual({ line: 2, column: 9 });
    expect(Object.fromEntries(places.targets)).toEqual({
      email: { line: 5, column: 10 },
      'dataFields.Name.First': { line: 6, column: 16 },
      'dataFields.Status': { line: 7, column: 11 },
      'dataFields.Town': { line: 9, column: 3 },
      'dataFields.Kind': { line: 13, column: 3 },
    });
    expect([...(places.listed.get('dataFields.Status') ?? [])]).toEqual([
      ['Open', { line: 17, column: 7 }],
      ['Closed', { line: 18, column: 7 }],
    ]);
    expect([...places.consent]).toEqual([['Newsletter__c', { line: 20, column: 26 }]]);
  });

  it('finds the lookup of identity', () => {
    const custom = 'object: Pet__c\nidentity: { belongsTo: Owner__c }\nfields:\n  Name: dataFields.Pet\n';
    expect(mappingPlaces({ name: 'Pet.yaml', text: custom }).sources.get('Owner__c')).toEqual({ line: 2, column: 24 });
  });

  it('reads the plain JSON form', () => {
    const { object, sources } = mappingPlaces({ name: 'Lead.json', text: '{\n  "Email": "email"\n}' });
    expect(object).toEqual({ line: 1, column: 1 });
    expect([...sources]).toEqual([['Email', { line: 2, column: 3 }]]);
  });

  it('of what is no mapping knows nothing', () => {
    expect(mappingPlaces({ name: 'x.yaml', text: ': : :' }).sources.size).toBe(0);
  });
});
