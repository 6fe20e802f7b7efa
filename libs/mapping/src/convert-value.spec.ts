import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { converterFor, toIterableDateTime } from './convert-value.js';

describe('toIterableDateTime', () => {
  it.each([
    ['REST', '2022-11-09T01:46:18.000+0000', '2022-11-09 01:46:18 +00:00'],
    ['events', '2024-07-16T13:29:10.000Z', '2024-07-16 13:29:10 +00:00'],
    ['older events, no milliseconds', '2021-01-20T22:33:10Z', '2021-01-20 22:33:10 +00:00'],
    ['milliseconds, which Iterable refuses here, go', '2022-11-09T01:46:18.987+0000', '2022-11-09 01:46:18 +00:00'],
    ['another zone, over midnight', '2022-11-09T01:46:18.000+02:00', '2022-11-08 23:46:18 +00:00'],
    ['a half hour zone', '2022-11-09T01:46:18-0930', '2022-11-09 11:16:18 +00:00'],
    ['a date alone', '2022-11-09', '2022-11-09'],
    ['a time alone', '13:29:10.000Z', '13:29:10.000Z'],
    ['no time at all', '2022-13-41T99:99:99+05:00', '2022-13-41T99:99:99+05:00'],
    ['words', 'next Tuesday', 'next Tuesday'],
  ])('%s: %s', (_form, text, expected) => {
    expect(toIterableDateTime(text)).toBe(expected);
  });

  it('means the same second as the REST form of any instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_799 }), (seconds) => {
        const rest = new Date(seconds * 1000).toISOString().replace('Z', '+0000');
        expect(Date.parse(toIterableDateTime(rest).replace(' ', 'T').replace(' ', ''))).toBe(seconds * 1000);
      }),
    );
  });
});

describe('converterFor', () => {
  const REST = '2022-11-09T01:46:18.000+0000';
  const ITERABLE = '2022-11-09 01:46:18 +00:00';
  it.each([
    ['datetime', REST, ITERABLE],
    ['datetime', '2022-11-09T01:46:18Z', ITERABLE],
    ['datetime', null, null],
    ['date', '1985-02-28', '1985-02-28'],
    ['string', REST, REST],
    ['textarea', REST, REST],
    ['picklist', '2022-11-09', '2022-11-09'],
    ['multipicklist', 'Red;Green', 'Red;Green'],
    ['string', '', null],
    ['datetime', '', null],
    ['double', 1000.5, 1000.5],
    ['currency', 0, 0],
    ['boolean', false, false],
    ['address', { city: 'Bern', street: null }, { city: 'Bern', street: null }],
    [undefined, REST, ITERABLE],
    [undefined, '2022-11-09T01:46:18Z', '2022-11-09T01:46:18Z'],
    [undefined, '2022-11-09', '2022-11-09'],
    [undefined, '', null],
    [undefined, 'plain', 'plain'],
    [undefined, undefined, undefined],
    ['string', undefined, undefined],
    ['datetime', undefined, undefined],
  ])('%s %j becomes %j', (type, value, expected) => {
    expect(converterFor(type)(value)).toEqual(expected);
  });
});
