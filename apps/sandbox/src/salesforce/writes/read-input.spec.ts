import { describe, expect, it } from 'vitest';
import { SalesforceError } from '../errors.js';
import { Schema } from '../schema/schema.js';
import { standardObjects, contactObject, leadObject } from '../schema/standard-objects.js';
import { readInput } from './read-input.js';

const schema = new Schema(standardObjects, () => 0);
const lead = { LastName: 'Kim', Company: 'Acme' };

const refused = (input: Record<string, unknown>, mode: 'create' | 'update' = 'update') => {
  try {
    readInput(schema, leadObject, input, mode);
  } catch (error) {
    if (error instanceof SalesforceError) return error.entries[0];
    throw error;
  }
  throw new Error('not refused');
};

describe('readInput', () => {
  it('turns JSON into stored values', () => {
    const input = {
      attributes: { type: 'Lead' },
      ...lead,
      firstname: '  Ann ',
      Title: '',
      Email: 'Ann@Example.com',
      HasOptedOutOfEmail: true,
      NumberOfEmployees: '12',
      AnnualRevenue: 10.5,
      OwnerId: '0055f000005mc66',
    };
    expect(readInput(schema, leadObject, input, 'create')).toEqual({
      LastName: 'Kim',
      Company: 'Acme',
      FirstName: 'Ann',
      Title: null,
      Email: 'Ann@Example.com',
      HasOptedOutOfEmail: 1,
      NumberOfEmployees: 12,
      AnnualRevenue: 11,
      OwnerId: '0055f000005mc66AAA',
    });
  });

  it('reads dates as dates and skips the id on update', () => {
    const input = { Id: '0035f00002EztxDAAR', Birthdate: '1980-02-29' };
    expect(readInput(schema, contactObject, input, 'update')).toEqual({ Birthdate: '1980-02-29' });
  });

  it.each([
    ['an unknown field', { Foo: 1 }, 'INVALID_FIELD', "No such column 'Foo' on sobject of type Lead", undefined],
    [
      'a read-only field',
      { Name: 'A', IsDeleted: true },
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      'Unable to create/update fields: Name, IsDeleted.',
      ['Name', 'IsDeleted'],
    ],
    ['a bad email', { Email: 'ann@' }, 'INVALID_EMAIL_ADDRESS', 'Email: invalid email address: ann@', ['Email']],
    [
      'a long text',
      { FirstName: 'x'.repeat(41) },
      'STRING_TOO_LONG',
      'First Name: data value too large: ',
      ['FirstName'],
    ],
    [
      'blank where needed',
      { LastName: ' ' },
      'REQUIRED_FIELD_MISSING',
      'Required fields are missing: [LastName]',
      ['LastName'],
    ],
    [
      'no boolean',
      { HasOptedOutOfEmail: 'yes' },
      'JSON_PARSER_ERROR',
      'Cannot deserialize instance of boolean from VALUE_STRING value yes',
      undefined,
    ],
    [
      'a null boolean',
      { HasOptedOutOfEmail: null },
      'JSON_PARSER_ERROR',
      'Cannot deserialize instance of boolean',
      undefined,
    ],
    ['no number', { NumberOfEmployees: 1.5 }, 'JSON_PARSER_ERROR', 'Cannot deserialize instance of int', undefined],
    [
      'an object for a text',
      { FirstName: {} },
      'JSON_PARSER_ERROR',
      'Cannot deserialize instance of string',
      undefined,
    ],
    ['a malformed id', { OwnerId: 'x' }, 'MALFORMED_ID', 'Owner ID: id value of incorrect type: x', ['OwnerId']],
  ])('refuses %s', (_what, input, errorCode, message, fields) => {
    const entry = refused(input);
    expect(entry).toMatchObject({ errorCode });
    expect(entry?.message).toContain(message);
    expect(entry?.fields).toEqual(fields);
  });

  it('asks for required fields on create only, and not for those it fills in', () => {
    expect(refused({ FirstName: 'A' }, 'create')).toEqual({
      errorCode: 'REQUIRED_FIELD_MISSING',
      message: 'Required fields are missing: [LastName, Company]',
      fields: ['LastName', 'Company'],
    });
    expect(readInput(schema, leadObject, { FirstName: 'A' }, 'update')).toEqual({ FirstName: 'A' });
  });
});
