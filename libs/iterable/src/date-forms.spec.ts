import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toDateForm } from './date-forms.js';

describe('toDateForm', () => {
  it.each([
    '2026-11-24',
    '2024-02-29',
    '0099-01-01',
    '2026-11-24 08:15:30',
    '2026-11-24 08:15:30 +00:00',
    '2026-11-24 08:15:30 -07:30',
    '2026-11-24T08:15:30.123Z',
    '2026-11-24T08:15:30.000+14:00',
  ])('leaves %s as it is', (text) => {
    expect(toDateForm(text)).toBe(text);
  });

  it.each([
    ['2026-11-24T08:15:30.000+0000', '2026-11-24T08:15:30.000+00:00'],
    ['2026-11-24T08:15:30Z', '2026-11-24 08:15:30 +00:00'],
    ['2026-11-24T08:15:30+01:00', '2026-11-24 08:15:30 +01:00'],
    ['2026-11-24T08:15:30-0530', '2026-11-24 08:15:30 -05:30'],
    ['2026-11-24T08:15:30+02', '2026-11-24 08:15:30 +02:00'],
    ['2026-11-24T08:15Z', '2026-11-24 08:15:00 +00:00'],
    ['2026-11-24T08:15:30', '2026-11-24 08:15:30'],
    ['2026-11-24 08:15', '2026-11-24 08:15:00'],
    ['2026-11-24 08:15:30Z', '2026-11-24 08:15:30 +00:00'],
    ['2026-11-24 08:15:30.000', '2026-11-24 08:15:30'],
    ['2026-11-24 08:15:30.5 +00:00', '2026-11-24T08:15:30.500+00:00'],
    ['2026-11-24 08:15:30.123Z', '2026-11-24T08:15:30.123Z'],
    ['2026-11-24T08:15:30.123000Z', '2026-11-24T08:15:30.123Z'],
  ])('rewrites %s', (text, expected) => {
    expect(toDateForm(text)).toBe(expected);
  });

  it.each([
    ['a fraction without a zone', '2026-11-24T08:15:30.123'],
    ['finer than a millisecond', '2026-11-24T08:15:30.123456Z'],
    ['no such day', '2026-02-30'],
    ['no such day of a century', '1900-02-29'],
    ['no such month', '2026-13-01'],
    ['no such hour', '2026-11-24 24:00:00'],
    ['no such second', '2026-11-24T23:59:60Z'],
    ['no such zone', '2026-11-24T08:15:30+25:00'],
    ['a zone without a sign', '2026-11-24T08:15:30.000 00:00'],
    ['a zone without a time', '2026-11-24Z'],
    ['slashes', '2026/11/24'],
    ['another order', '24-11-2026'],
    ['words', 'yesterday'],
    ['epoch milliseconds', '1764000000000'],
    ['something before', ' 2026-11-24'],
    ['something behind', '2026-11-24\n'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(toDateForm(text)).toBeNull();
  });

  it('keeps the moment, and is content with what it made', () => {
    const range = { min: new Date('1000-01-01T00:00:00Z'), max: new Date('9998-12-31T00:00:00Z'), noInvalidDate: true };
    const zones = fc.constantFrom('Z', '+00:00', '-0730', '+14:00', '-11');
    fc.assert(
      fc.property(fc.date(range), zones, fc.constantFrom('T', ' '), fc.boolean(), (moment, zone, between, short) => {
        const iso = moment.toISOString();
        const text = `${iso.slice(0, 10)}${between}${iso.slice(11, short ? 19 : 23)}${zone}`;
        const formed = toDateForm(text);
        expect(formed).toMatch(/^\d{4}-\d\d-\d\d(?:T[\d:]{8}\.\d{3}(?:Z|[+-]\d\d:\d\d)| [\d:]{8} [+-]\d\d:\d\d)$/);
        const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.replace(':', '').slice(3) || '00'}`;
        const meant = Date.parse(`${iso.slice(0, 10)}T${iso.slice(11, short ? 19 : 23)}${offset}`);
        expect(Date.parse((formed ?? '').replace(/^(\S+) (\S+) (\S+)$/, '$1T$2$3'))).toBe(meant);
        expect(toDateForm(formed ?? '')).toBe(formed);
      }),
    );
  });
});
