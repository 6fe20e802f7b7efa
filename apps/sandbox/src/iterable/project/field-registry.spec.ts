import { describe, expect, it } from 'vitest';
import { FieldRegistry } from './field-registry.js';
import type { TypeRules } from './field-types.js';
import { parseJson, type JsonObject } from './json.js';

const rules: TypeRules = { coercion: 'widen', extraDateFormats: [], nestedFields: false };
const make = () => new FieldRegistry(100);

describe('FieldRegistry', () => {
  it('fixes a type by the first value and refuses another, naming the field', () => {
    const fields = make();
    const first = fields.admit({ Score: 1, Born: '1990-12-10' }, true, rules, null);
    expect(first).toMatchObject({ mismatches: [], created: ['Score', 'Born'], filtered: [] });
    expect(fields.list()).toMatchObject({ Score: 'long', Born: 'date' });
    const second = fields.admit({ Score: 1.5, Born: 'yesterday' }, true, rules, null);
    expect(second.mismatches).toEqual([
      { path: 'Score', expectedType: 'long', incomingTypes: ['double'], offendingValue: 1.5 },
      { path: 'Born', expectedType: 'date', incomingTypes: ['string', 'keyword'], offendingValue: 'yesterday' },
    ]);
  });

  it('fixes a double by 1000.0, as written', () => {
    const fields = make();
    const { value, decimals } = parseJson('{"Revenue":1000.0,"Staff":1000,"Deep":{"Rate":1e2},"Text":"1000.0"}');
    fields.admit(value as JsonObject, true, rules, decimals);
    expect(fields.list()).toMatchObject({ Revenue: 'double', Staff: 'long', 'Deep.Rate': 'double', Text: 'string' });
    expect(fields.admit({ Revenue: 1000.5 }, true, rules, null).mismatches).toEqual([]);
  });

  it('knows nested fields by their paths and counts leaves', () => {
    const fields = make();
    const before = fields.size;
    fields.admit({ Name: { First: 'Ada', Last: 'Byron' }, Tags: ['a'], Empty: {} }, true, rules, null);
    expect(fields.size - before).toBe(3);
    expect(fields.list()).toMatchObject({ Name: 'object', 'Name.First': 'string', Tags: 'string', Empty: 'object' });
    expect(fields.admit({ Name: 'Ada' }, true, rules, null).mismatches).toMatchObject([
      { path: 'Name', expectedType: 'object' },
    ]);
    expect(fields.admit({ Name: { First: 1 } }, true, rules, null).mismatches).toMatchObject([{ path: 'Name.First' }]);
    expect(fields.admit({ Tags: 'b' }, true, rules, null).mismatches).toEqual([]);
  });

  it('drops unknown fields where none may be created, inside objects too', () => {
    const fields = make();
    fields.admit({ Name: { First: 'Ada' } }, true, rules, null);
    const admission = fields.admit({ Name: { First: 'Bob', Nick: 'B' }, Extra: 1 }, false, rules, null);
    expect(admission).toMatchObject({
      fields: { Name: { First: 'Bob' } },
      filtered: ['Name.Nick', 'Extra'],
      created: [],
      mismatches: [],
    });
    expect(fields.list()).not.toHaveProperty('Extra');
  });

  it('lets null through without fixing a type', () => {
    const fields = make();
    const admission = fields.admit({ Later: null, List: [] }, true, rules, null);
    expect(admission.fields).toEqual({ Later: null, List: [] });
    expect(fields.list()).not.toHaveProperty('Later');
    expect(fields.admit({ Later: 5 }, true, rules, null).mismatches).toEqual([]);
  });

  it("drops Iterable's own fields and says so", () => {
    const admission = make().admit({ itblInternal: {}, profileUpdatedAt: 'x', A: 1 }, true, rules, null);
    expect(admission.fields).toEqual({ A: 1 });
    expect(admission.filtered).toEqual(['itblInternal', 'profileUpdatedAt']);
  });

  it('names values that are too long', () => {
    expect(make().admit({ Text: 'x'.repeat(101) }, true, rules, null).tooLong).toEqual(['Text']);
  });

  it('forgets what was added since a mark, so that a refused request fixes nothing', () => {
    const fields = make();
    fields.admit({ Kept: 1 }, true, rules, null);
    const size = fields.size;
    const mark = fields.mark();
    fields.admit({ Name: { First: 'Ada' }, Kept: 2 }, true, rules, null);
    fields.rollback(mark);
    expect(fields.size).toBe(size);
    expect(fields.list()).not.toHaveProperty('Name');
    expect(fields.admit({ Name: 'Ada' }, true, rules, null).mismatches).toEqual([]);
  });

  it('is not fooled by __proto__', () => {
    const { value } = parseJson('{"__proto__":{"polluted":true},"Deep":{"__proto__":{"polluted":true}}}');
    const admission = make().admit(value as JsonObject, true, rules, null);
    expect(Object.keys(admission.fields)).toEqual(['Deep']);
    expect(Object.getPrototypeOf(admission.fields['Deep'])).toBe(Object.prototype);
    expect({}).not.toHaveProperty('polluted');
  });
});
