import { describe, expect, it } from 'vitest';
import { accepts, isDate, possibleTypes, type Coercion, type FieldType, type TypeRules } from './field-types.js';
import type { Json } from './json.js';

const rules: TypeRules = { coercion: 'widen', extraDateFormats: [], nestedFields: false };

describe('isDate', () => {
  it.each([
    '2026-11-24',
    '2024-02-29',
    '2026-11-24 08:15:30',
    '2026-11-24 08:15:30 +00:00',
    '2026-11-24 08:15:30 -07:30',
    '2026-11-24T08:15:30.000Z',
    '2026-11-24T08:15:30.123+01:00',
  ])('takes %s', (text) => expect(isDate(text)).toBe(true));

  it.each([
    '2026-11-24 08:15:30.000',
    '2026-11-24T08:15:30Z',
    '2026-11-24T08:15:30.000+0000',
    '2026-02-30',
    '2025-02-29',
    '2026-13-01',
    '2026-11-24 24:00:00',
    '2026-11-24 08:60:00',
    '24.11.2026',
    '2026-1-4',
    '2026-11-24 ',
    '',
  ])('refuses %j', (text) => expect(isDate(text)).toBe(false));

  it('takes more forms where they are switched on', () => {
    expect(isDate('2026-11-24T08:15:30.000+0000', ['salesforce-offset'])).toBe(true);
    expect(isDate('2026-11-24T08:15:30Z', ['iso-without-millis'])).toBe(true);
    expect(isDate('2026-11-24T08:15:30Z', ['salesforce-offset'])).toBe(false);
  });
});

describe('possibleTypes', () => {
  it.each<[string, Json, string[] | null]>([
    ['text', 'Ada', ['string', 'keyword']],
    ['text', '', ['string', 'keyword']],
    ['text', '5', ['string', 'keyword']],
    ['date', '2026-11-24', ['date', 'string', 'keyword']],
    ['whole', 5, ['long', 'double']],
    ['fraction', 5.5, ['double']],
    ['truth', false, ['boolean']],
    ['object', {}, ['object']],
    ['nothing', null, null],
    ['empty list', [], null],
    ['nulls only', [null], null],
    ['texts', ['a', '2026-11-24'], ['string', 'keyword']],
    ['numbers', [1, 2.5], ['double']],
    ['mixed', [1, 'a'], []],
    ['objects', [{ a: 1 }], ['object']],
    ['home_geo_location', { lat: 1, lon: 2 }, ['geo_location']],
    ['home', { lat: 1, lon: 2 }, ['object']],
    ['home_geo_location', { lat: '1', lon: 2 }, ['object']],
  ])('%s: %j', (name, value, expected) => {
    expect(possibleTypes(name, value, false, rules)).toEqual(expected);
  });

  it('sees a decimal in a whole number that was written as one', () => {
    expect(possibleTypes('n', 1000, true, rules)).toEqual(['double']);
  });

  it('knows nested fields where the project has them', () => {
    expect(possibleTypes('n', [{ a: 1 }], false, { ...rules, nestedFields: true })).toEqual(['nested']);
  });
});

describe('accepts', () => {
  it.each<[FieldType, Json, Coercion, boolean]>([
    ['double', 5, 'widen', true],
    ['long', 5.5, 'widen', false],
    ['long', 5.5, 'numeric', true],
    ['long', '5', 'widen', false],
    ['long', '5', 'numeric', true],
    ['double', 'five', 'numeric', false],
    ['string', 5, 'numeric', false],
    ['string', 5, 'lenient', true],
    ['string', [true, 1], 'lenient', true],
    ['boolean', 'true', 'numeric', false],
    ['boolean', 'true', 'lenient', true],
    ['string', '2026-11-24', 'widen', true],
    ['date', 'Ada', 'lenient', false],
    ['date', '', 'widen', false],
    ['date', 1_700_000_000_000, 'widen', false],
    ['object', 'Ada', 'lenient', false],
    ['string', {}, 'lenient', false],
  ])('a field of type %s, %j, %s: %s', (expected, value, coercion, answer) => {
    expect(accepts(expected, possibleTypes('f', value, false, rules) ?? [], value, coercion)).toBe(answer);
  });
});
