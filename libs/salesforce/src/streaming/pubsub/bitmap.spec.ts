import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldsOfBitmaps, type FieldLayout } from './bitmap.js';

const layoutOf = (names: string, parts: Record<string, string[]> = {}): FieldLayout =>
  names.split(' ').map((name) => ({ name, parts: parts[name] ?? null }));

/** Sample 05. */
const LEAD = layoutOf(
  'ChangeEventHeader Name Title Company Address Phone MobilePhone Fax Email Website Description LeadSource Status Industry ' +
    'Rating AnnualRevenue NumberOfEmployees OwnerId HasOptedOutOfEmail IsConverted ConvertedDate ConvertedAccountId ' +
    'ConvertedContactId ConvertedOpportunityId IsUnreadByOwner CreatedDate CreatedById LastModifiedDate LastModifiedById',
  { Name: ['Salutation', 'FirstName', 'LastName'], Address: ['Street', 'City'] },
);
const ACCOUNT = layoutOf(
  'ChangeEventHeader Name Type ParentId BillingAddress ShippingAddress Phone Fax AccountNumber Website Sic Industry ' +
    'AnnualRevenue NumberOfEmployees Ownership TickerSymbol Description Rating Site OwnerId CreatedDate CreatedById LastModifiedDate',
  { BillingAddress: ['Street', 'City', 'State'] },
);

describe('fieldsOfBitmaps', () => {
  it.each<[string, FieldLayout, string[], string[]]>([
    [
      'a converted lead',
      LEAD,
      ['0x08F81000'],
      [
        'Status',
        'IsConverted',
        'ConvertedDate',
        'ConvertedAccountId',
        'ConvertedContactId',
        'ConvertedOpportunityId',
        'LastModifiedDate',
      ],
    ],
    ['an industry', ACCOUNT, ['0x400800'], ['Industry', 'LastModifiedDate']],
    ['a street', ACCOUNT, ['0x400000', '4-0x01'], ['BillingAddress.Street', 'LastModifiedDate']],
    ['parts alone', LEAD, ['1-0x06'], ['Name.FirstName', 'Name.LastName']],
    [
      'several compounds',
      LEAD,
      ['4-0x02', '1-0x01', '0x8000000'],
      ['Name.Salutation', 'Address.City', 'LastModifiedDate'],
    ],
    ['a whole compound', LEAD, ['0x10'], ['Address', 'Address.Street', 'Address.City']],
    [
      'lower case',
      LEAD,
      ['0x08f81000'],
      ['Status', 'IsConverted', ...LEAD.slice(20, 24).map(({ name }) => name), 'LastModifiedDate'],
    ],
    ['nothing', LEAD, [], []],
    ['no bit', LEAD, ['0x00'], []],
  ])('%s', (_what, layout, elements, expected) => {
    expect(fieldsOfBitmaps(elements, layout)).toEqual(expected);
  });

  it.each([
    ['a name', ['Status']],
    ['no digits', ['0x']],
    ['a foreign digit', ['0x0G']],
    ['a bit beyond the schema', ['0x80000000']],
    ['a part beyond the compound', ['4-0x04']],
    ['parts of a plain field', ['2-0x01']],
    ['parts of a field beyond the schema', ['99-0x01']],
    ['a bad element among good ones', ['0x08', 'x']],
  ])('does not guess at %s', (_what, elements) => {
    expect(fieldsOfBitmaps(elements, LEAD)).toBeNull();
  });

  it('is the inverse of setting bits, whatever the width of the schema', () => {
    const wide = layoutOf(Array.from({ length: 900 }, (_, n) => `F${n}`).join(' '));
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(899), { minLength: 1 }), (bits) => {
        const value = bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
        const expected = bits.toSorted((one, other) => one - other).map((bit) => `F${bit}`);
        expect(fieldsOfBitmaps([`0x${value.toString(16)}`], wide)).toEqual(expected);
      }),
    );
  });
});
