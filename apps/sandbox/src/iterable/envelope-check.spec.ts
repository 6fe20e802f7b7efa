import { describe, expect, it } from 'vitest';
import { complaints, type Members } from './envelope-check.js';
import type { Json } from './project/json.js';

const members: Members = {
  'users!': { each: { email: 'string', dataFields: 'object', preferUserId: 'boolean' } },
  ids: { each: 'number' },
};

describe('complaints', () => {
  it.each<[string, Json, Record<string, string>]>([
    ['a good body', { users: [{ email: 'a' }], ids: [1, 2], other: 1 }, {}],
    ['null for an optional member', { users: [{ email: null }], ids: null }, {}],
    ['no object at all', [1], { obj: 'Object value expected' }],
    ['a required member left out', {}, { 'obj.users': 'Value is required' }],
    ['no array', { users: {} }, { 'obj.users': 'Array value expected' }],
    ['an element of another type', { users: ['a'] }, { 'obj.users[0]': 'Object value expected' }],
    ['a number in a list of numbers', { users: [], ids: ['1'] }, { 'obj.ids[0]': 'Numeric value expected' }],
    [
      'several at once',
      { users: [{ email: 1 }, { dataFields: [], preferUserId: 'x' }] },
      {
        'obj.users[0].email': 'String value expected',
        'obj.users[1].dataFields': 'Object value expected',
        'obj.users[1].preferUserId': 'Boolean value expected',
      },
    ],
  ])('%s', (_what, body, expected) => {
    expect(complaints(body, members)).toEqual(expected);
  });
});
