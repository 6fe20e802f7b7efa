import { describe, expect, it } from 'vitest';
import { LEAD_SCHEMA, leadPayload } from '../../../test/pubsub-fake.js';
import { EventSchema } from './event-schema.js';

const schema = new EventSchema(JSON.stringify(LEAD_SCHEMA));

describe('EventSchema', () => {
  it('gives the header as CometD would', () => {
    const payload = leadPayload({ recordIds: ['00Q1', '00Q2'], changedFields: ['0x04', '1-0x02'] });
    expect(schema.headerOf(payload)).toEqual({
      entityName: 'Lead',
      recordIds: ['00Q1', '00Q2'],
      changeType: 'UPDATE',
      commitTimestamp: 1_764_060_065_000,
      commitNumber: 7,
      nulledFields: [],
      diffFields: [],
      changedFields: ['Name.FirstName', 'Status'],
    });
  });

  it.each([
    ['a record of its own', '3-0x02', 'Address.City'],
    ['a record named after its definition', '4-0x01', 'Other.Street'],
  ])('knows the parts of %s', (_what, bitmap, expected) => {
    expect(schema.headerOf(leadPayload({ changedFields: [bitmap] })).changedFields).toEqual([expected]);
  });

  it('knows the parts of a field that is text or a name', () => {
    const name = { type: 'record', name: 'PersonName', fields: [{ name: 'LastName', type: ['null', 'string'] }] };
    const account = {
      ...LEAD_SCHEMA,
      fields: [LEAD_SCHEMA.fields[0], { name: 'Name', type: ['null', 'string', name], default: null }],
    };
    const payload = leadPayload({ changedFields: ['1-0x01'] });
    expect(new EventSchema(JSON.stringify(account)).headerOf(payload).changedFields).toEqual(['Name.LastName']);
  });

  it('leaves changed fields out that it does not know, rather than guess', () => {
    expect(schema.headerOf(leadPayload({ changedFields: ['0x4000'] }))).not.toHaveProperty('changedFields');
  });

  it.each([
    [1_764_060_065_123_456_789n, '1764060065123456789'],
    [-9_223_372_036_854_775_808n, '-9223372036854775808'],
    [9_007_199_254_740_991n, 9_007_199_254_740_991],
    [9_007_199_254_740_992n, '9007199254740992'],
    [0n, 0],
  ])('keeps the commit number %s whole', (commitNumber, expected) => {
    expect(schema.headerOf(leadPayload({ commitNumber })).commitNumber).toBe(expected);
  });

  it('reads a header that is not the first field', () => {
    const [header, ...others] = LEAD_SCHEMA.fields;
    const moved = { ...LEAD_SCHEMA, fields: [others[1], header] };
    const payload = Buffer.concat([Buffer.from([0]), leadPayload({ recordIds: ['a'] })]);
    expect(new EventSchema(JSON.stringify(moved)).headerOf(payload).recordIds).toEqual(['a']);
  });

  it.each([
    ['no JSON', '{', /JSON/],
    ['no record', '"string"', /invalid_type/],
    ['no header', JSON.stringify({ ...LEAD_SCHEMA, fields: LEAD_SCHEMA.fields.slice(1) }), /without ChangeEventHeader/],
  ])('refuses a schema that is %s', (_what, text, message) => {
    expect(() => new EventSchema(text)).toThrow(message);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half an event', leadPayload().subarray(0, 5)],
    ['something else', Buffer.from('this is no Avro, whatever it is')],
  ])('refuses %s', (_what, payload) => {
    expect(() => schema.headerOf(payload)).toThrow(/^an event that is shorter than its schema$/);
  });
});
