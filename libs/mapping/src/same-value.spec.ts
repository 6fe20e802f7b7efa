import { describe, expect, it } from 'vitest';
import { isSameValue } from './same-value.js';

describe('isSameValue', () => {
  it.each([
    ['nothing', undefined, null],
    ['texts', 'A', 'A'],
    ['a date in another form', '2022-11-09 01:46:18 +00:00', '2022-11-09T01:46:18.000Z'],
    ['a date in another zone', '2022-11-09 01:46:18 +00:00', '2022-11-09 02:46:18 +01:00'],
    ['a zone without a colon', '2022-11-09T02:46:18.123+0100', '2022-11-09 01:46:18'],
    ['a day and its first moment', '2022-11-09', '2022-11-09 00:00:00 +00:00'],
    ['a number and its text', 1000, '1000.0'],
    ['a text and its number', '-5', -5],
    ['lists', ['a', '2022-11-09'], ['a', '2022-11-09 00:00:00 +00:00']],
    ['objects in lists, keys in any order', [{ a: 1, b: null }], [{ a: '1' }]],
  ])('takes as the same: %s', (_, a, b) => {
    expect(isSameValue(a, b)).toBe(true);
    expect(isSameValue(b, a)).toBe(true);
  });

  it.each([
    ['another text', 'A', 'a'],
    ['a text and nothing', '', null],
    ['false and nothing', false, undefined],
    ['another second', '2022-11-09 01:46:18 +00:00', '2022-11-09 01:46:19 +00:00'],
    ['a day that is none', '2022-13-45', '2022-13-46'],
    ['a number and a text that only looks like it', 5, '5 kg'],
    ['true and its text', true, 'true'],
    ['lists in another order', ['a', 'b'], ['b', 'a']],
    ['a longer list', ['a'], ['a', 'b']],
    ['a list and an object', [['a']], [{ 0: 'a' }]],
    ['objects in lists', [{ a: 1 }], [{ a: 1, b: 2 }]],
  ])('takes as another: %s', (_, a, b) => {
    expect(isSameValue(a, b)).toBe(false);
    expect(isSameValue(b, a)).toBe(false);
  });

  it('compares emails as Iterable stores them, and nothing else so', () => {
    expect(isSameValue('Ada@Example.com ', 'ada@example.com', undefined, true)).toBe(true);
    expect(isSameValue('Ada@Example.com', 'ada@example.com')).toBe(false);
  });

  it('takes a text for a date only where the field may be one', () => {
    const [a, b] = ['2022-11-09', '2022-11-09 00:00:00 +00:00'];
    expect([isSameValue(a, b, 'date'), isSameValue(a, b, 'string')]).toEqual([true, false]);
  });
});
