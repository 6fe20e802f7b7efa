import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitValue } from './fit-value.js';

const TYPES = ['string', 'long', 'double', 'boolean', 'date'];

describe('fitValue', () => {
  it.each<[string, unknown, unknown]>([
    ['string', 'Ada', 'Ada'],
    ['string', '', ''],
    ['string', 7, '7'],
    ['string', -0.5, '-0.5'],
    ['string', true, 'true'],
    ['string', ['a', 1, false, null], ['a', '1', 'false', null]],
    ['long', 7, 7],
    ['long', -7.0, -7],
    ['long', '7', 7],
    ['long', '-9007199254740991', -9_007_199_254_740_991],
    ['long', ['1', 2], [1, 2]],
    ['double', 7, 7],
    ['double', 7.25, 7.25],
    ['double', '7.25', 7.25],
    ['double', '7', 7],
    ['double', '1.50', 1.5],
    ['double', '-0.0000001', -0.000_000_1],
    ['double', '0.1', 0.1],
    ['double', '1234567890123.45', 1_234_567_890_123.45],
    ['double', '9007199254740991', 9_007_199_254_740_991],
    ['boolean', false, false],
    ['boolean', 'true', true],
    ['boolean', 'false', false],
    ['date', '2026-11-24', '2026-11-24'],
    ['date', '2026-11-24T08:15:30.000+0000', '2026-11-24T08:15:30.000+00:00'],
    ['date', ['2026-11-24T08:15:30Z'], ['2026-11-24 08:15:30 +00:00']],
    ['long', [], []],
    ...[...TYPES, 'geo_location', 'something_new'].map((type) => [type, null, null] as [string, unknown, unknown]),
  ])('%s: %j becomes %j', (type, value, expected) => {
    expect(fitValue(value, type)).toEqual({ ok: true, value: expected });
  });

  it.each<[string, unknown]>([
    ['string', { a: 1 }],
    ['string', Number.NaN],
    ['string', undefined],
    ['long', 7.5],
    ['long', 9_007_199_254_740_992],
    ['long', '9007199254740992'],
    ['long', '7.0'],
    ['long', '007'],
    ['long', '+7'],
    ['long', ' 7'],
    ['long', '1e3'],
    ['long', '0x10'],
    ['long', ''],
    ['long', '-0'],
    ['long', true],
    ['long', ['1', 'a']],
    ['long', '2026-11-24'],
    ['double', '1234567890123456.78'],
    ['double', '12345678901234567890'],
    ['double', '01.5'],
    ['double', '.5'],
    ['double', '1,5'],
    ['double', '1e3'],
    ['double', 'Infinity'],
    ['double', Number.POSITIVE_INFINITY],
    ['double', ''],
    ['double', false],
    ['boolean', 'True'],
    ['boolean', 'yes'],
    ['boolean', 1],
    ['boolean', ''],
    ['date', 'Ada'],
    ['date', ''],
    ['date', 1_764_000_000_000],
    ['date', false],
    ['geo_location', { lat: 1, lon: 2 }],
    ['object', { a: 1 }],
    ['nested', [{ a: 1 }]],
    ['something_new', 'a'],
    ['__proto__', 'a'],
    ['constructor', 'a'],
  ])('%s: %j does not fit', (type, value) => {
    expect(fitValue(value, type)).toEqual({ ok: false });
  });

  it('gives the type asked for, loses nothing, and has nothing to do a second time', () => {
    const ofType: Record<string, (value: unknown) => boolean> = {
      string: (value) => typeof value === 'string',
      long: (value) => Number.isSafeInteger(value),
      double: (value) => typeof value === 'number',
      boolean: (value) => typeof value === 'boolean',
      date: (value) => typeof value === 'string',
    };
    const numeric = fc.oneof(fc.integer(), fc.double({ noDefaultInfinity: true, noNaN: true }));
    const texts = fc.oneof(
      fc.string(),
      numeric.map(String),
      fc.boolean().map(String),
      fc.stringMatching(/^-?\d{1,22}(\.\d{1,20})?$/),
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), numeric, texts), fc.constantFrom(...TYPES), (value, type) => {
        const fit = fitValue(value, type);
        if (!fit.ok) return;
        expect(fitValue(fit.value, type)).toEqual(fit);
        if (value === null || typeof value === 'object') return;
        expect(ofType[type]?.(fit.value)).toBe(true);
        // The other way round the same value comes back; of a text, the same number.
        if (typeof value !== 'string' && type === 'string') expect(JSON.parse(String(fit.value)) === value).toBe(true);
        if (typeof value === 'string' && type === 'long') expect(String(fit.value)).toBe(value);
        if (typeof value === 'string' && type === 'double') expect(plain(Number(fit.value))).toBe(plain(value));
      }),
    );
  });
});

/** A number's digits and the place of its point, however it is written. */
function plain(written: string | number): string {
  const [mantissa = '', exponent = '0'] = String(written).toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  const scale = Number(exponent) - fraction.length + (digits.length - significant.length);
  return significant === '' ? '0' : `${mantissa.startsWith('-') ? '-' : ''}${significant}e${scale}`;
}
