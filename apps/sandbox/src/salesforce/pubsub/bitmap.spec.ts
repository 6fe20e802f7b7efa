import { describe, expect, it } from 'vitest';
import { accountObject, leadObject } from '../schema/standard-objects.js';
import { bitmapsOf, toHex } from './bitmap.js';
import { layoutOf, type EventLayout } from './event-layout.js';

const lead = layoutOf(leadObject, leadObject.fields);
const account = layoutOf(accountObject, accountObject.fields);

describe('bits as Salesforce prints them', () => {
  it.each([
    [[11, 22], '0x400800'],
    [[12, 19, 20, 21, 22, 23, 27], '0x08F81000'],
    [[22], '0x400000'],
    [[0], '0x01'],
    [[7], '0x80'],
    [[8], '0x0100'],
    [[3, 64], '0x010000000000000008'],
  ])('%j is %s', (bits, hex) => expect(toHex(bits)).toBe(hex));
});

describe('the worked examples of the documents, on the schema of the org', () => {
  it.each<[string, EventLayout, string[], string[]]>([
    [
      'lead conversion',
      lead,
      [
        'Status',
        'IsConverted',
        'ConvertedDate',
        'ConvertedAccountId',
        'ConvertedContactId',
        'ConvertedOpportunityId',
        'LastModifiedDate',
      ],
      ['0x08F81000'],
    ],
    ['industry of an account', account, ['Industry', 'LastModifiedDate'], ['0x400800']],
    ['street of an account', account, ['BillingStreet', 'LastModifiedDate'], ['0x400000', '4-0x01']],
  ])('%s', (_, layout, names, bitmaps) => expect(bitmapsOf(layout, names)).toEqual(bitmaps));
});

describe('bitmaps of a set of fields', () => {
  it('are none for the empty set and for fields that the subscriber does not see', () => {
    expect(bitmapsOf(lead, [])).toEqual([]);
    expect(bitmapsOf(lead, ['SystemModstamp', 'Nothing__c'])).toEqual([]);
  });

  it('have no top-level element when only parts of compounds changed', () => {
    expect(bitmapsOf(lead, ['FirstName', 'City'])).toEqual(['1-0x02', '4-0x02']);
  });

  it('write a compound that was blanked as a whole as one bit, if asked to', () => {
    const address = ['Street', 'City', 'State', 'PostalCode', 'Country'];
    expect(bitmapsOf(lead, address, true)).toEqual(['0x10']);
    expect(bitmapsOf(lead, address)).toEqual(['4-0x1F']);
    expect(bitmapsOf(lead, address.slice(1), true)).toEqual(['4-0x1E']);
  });
});
