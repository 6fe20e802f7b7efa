import { describe, expect, it } from 'vitest';
import { isAddressable, isSameKey, profilePath } from './profile-key.js';
import { classifyReadAnswer, parseChannels, parseFields, parseMessageTypes, parseProfile } from './read.js';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers,
  text: typeof body === 'string' ? body : JSON.stringify(body),
  receivedAtMs: 0,
});
const unreadable = expect.objectContaining({ code: 'iterable.unreadable_answer', retryable: true }) as Error;

describe('parseProfile', () => {
  it.each<[string, unknown, unknown]>([
    ['nobody', {}, null],
    [
      'a recorded answer',
      { user: { email: 'a@example.com', dataFields: { email: 'a@example.com', userId: 'u1', signupSource: 'API' } } },
      {
        email: 'a@example.com',
        userId: 'u1',
        dataFields: { email: 'a@example.com', userId: 'u1', signupSource: 'API' },
      },
    ],
    ['a profile without an email', { user: { userId: 'u1', dataFields: {} } }, { userId: 'u1', dataFields: {} }],
    ['a profile without fields', { user: { userId: 'u1' } }, { userId: 'u1', dataFields: {} }],
  ])('%s', (_, body, expected) => {
    expect(parseProfile(answer(200, body))).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['HTML', '<html></html>'],
    ['a list', []],
    ['something else', { msg: '', code: 'Success', params: null }],
    ['a user that is none', { user: 'u1' }],
  ])('does not take %s for nobody', (_, body) => {
    expect(() => parseProfile(answer(200, body))).toThrow(unreadable);
  });

  it.each([
    [400, 'error.users.noUserWithIdExists'],
    [404, 'error.users.noUserWithIdExists'],
    [400, 'UnknownUserIdError'],
    [404, 'UnknownEmailError'],
  ])('takes %i %s for nobody', (status, code) => {
    expect(classifyReadAnswer(answer(status, { code }))).toEqual({ kind: 'read', body: {} });
    expect(parseProfile(answer(status, { code, msg: '', params: null }))).toBeNull();
  });

  it.each<[number, string, object]>([
    [400, 'InvalidEmailAddressError', { code: 'iterable.invalid_email', retryable: false }],
    [401, 'BadApiKey', { code: 'iterable.access_refused', retryable: true }],
    [429, 'RateLimitExceeded', { code: 'iterable.rate_limited', retryable: true, retryAfterMs: 9_000 }],
    [503, '', { code: 'iterable.unavailable', retryable: true, retryAfterMs: 9_000 }],
  ])('throws for %i %s', (status, code, expected) => {
    expect(() => parseProfile(answer(status, { code }, { 'retry-after': '9' }))).toThrow(
      expect.objectContaining(expected) as Error,
    );
  });
});

it('parseFields reads names and types', () => {
  const fields = parseFields(answer(200, { fields: { 'Name.First': 'string', Score: 'double', odd: 7 } }));
  expect([...fields]).toEqual([
    ['Name.First', 'string'],
    ['Score', 'double'],
  ]);
  expect(parseFields(answer(200, { fields: {} })).size).toBe(0);
  expect(parseFields(answer(200, '{"fields":{"__proto__":"long"}}')).get('__proto__')).toBe('long');
  for (const given of [undefined, null, [], 'string']) {
    expect(() => parseFields(answer(200, { fields: given }))).toThrow(unreadable);
  }
});

it('parseChannels and parseMessageTypes read what there is, and nothing half', () => {
  const channel = { id: 1, name: 'News', channelType: 'Marketing', messageMedium: 'Email' };
  expect(parseChannels(answer(200, { channels: [{ ...channel, more: 1 }] }))).toEqual([channel]);
  const type = { id: 2, name: 'Weekly', channelId: 1 };
  expect(parseMessageTypes(answer(200, { messageTypes: [{ ...type, subscriptionPolicy: 'OptOut' }] }))).toEqual([type]);
  for (const channels of [undefined, [7], [{ ...channel, id: '1' }], [{ ...channel, messageMedium: undefined }]]) {
    expect(() => parseChannels(answer(200, { channels }))).toThrow(unreadable);
  }
  expect(() => parseMessageTypes(answer(200, { messageTypes: [{ ...type, channelId: null }] }))).toThrow(unreadable);
});

it('classifyReadAnswer gives a body, or why there is none', () => {
  expect(classifyReadAnswer(answer(200, { a: 1 }))).toEqual({ kind: 'read', body: { a: 1 } });
  expect(classifyReadAnswer(answer(404, 'no'))).toEqual({ kind: 'refused', code: 'iterable.wrong_address' });
});

describe('profile keys', () => {
  it.each([
    [{ email: 'A@example.com' }, { email: 'a@Example.com' }, true],
    [{ email: 'a@example.com' }, { email: 'b@example.com' }, false],
    [{ userId: 'a' }, { userId: 'a' }, true],
    [{ userId: 'a' }, { userId: 'A' }, false],
    [{ userId: 'a@example.com' }, { email: 'a@example.com' }, false],
    [{ email: 'a@example.com' }, { userId: 'a@example.com' }, false],
  ])('%o and %o: the same is %o', (a, b, expected) => {
    expect(isSameKey(a, b)).toBe(expected);
  });

  it.each([
    ['', false],
    ['.', false],
    ['..', false],
    ['...', true],
    ['a', true],
  ])('%o can be part of a path: %o', (userId, expected) => {
    expect(isAddressable({ userId })).toBe(expected);
    // Whatever a URL makes of it, the path must still hold all of it.
    if (expected) expect(new URL(`http://x/${profilePath({ userId })}`).pathname).toBe(`/users/byUserId/${userId}`);
  });
});
