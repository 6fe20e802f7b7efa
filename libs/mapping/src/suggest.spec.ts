import { describe, expect, it } from 'vitest';
import { editDistance, suggest } from './suggest.js';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['fields', 'fields', 0],
    ['feilds', 'fields', 1],
    ['ab', 'ba', 1],
    ['ca', 'abc', 3],
    ['field', 'fields', 1],
    ['kitten', 'sitting', 3],
  ])('%j and %j: %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('suggest', () => {
  it.each([
    ['feilds', 'fields'],
    ['Object', 'object'],
    ['mapping', undefined],
    ['', undefined],
  ])('%j means %j', (word, meant) => {
    expect(suggest(word, ['object', 'fields'])).toBe(meant);
  });

  it('takes the nearest', () => {
    expect(suggest('LastNam', ['FirstName', 'LastName', 'LastNames'])).toBe('LastName');
  });
});
