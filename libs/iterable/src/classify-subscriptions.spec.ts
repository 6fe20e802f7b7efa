import { describe, expect, it } from 'vitest';
import { classifyGroupAnswer, classifyListsAnswer } from './classify-subscriptions.js';
import { IterableTimeoutError } from './errors.js';

const answer = (status: number, body: unknown = '') => ({
  status,
  headers: {},
  text: typeof body === 'string' ? body : JSON.stringify(body),
  receivedAtMs: 0,
});
const error = (status: number, code: string) => answer(status, { msg: '', code, params: null });
const late = new IterableTimeoutError('late');
const HTML = '<html></html>';

describe('classifyGroupAnswer', () => {
  it.each<[string, ReturnType<typeof answer> | Error, object]>([
    ['200', error(200, 'Success'), { kind: 'done' }],
    ['202 without a body', answer(202), { kind: 'done' }],
    ['200 as HTML', answer(200, HTML), { kind: 'retry', code: 'iterable.unreadable_answer' }],
    [
      '200 with the code of an error',
      error(200, 'GenericError'),
      { kind: 'retry', code: 'iterable.unreadable_answer' },
    ],
    ['404', error(404, 'NotFound'), { kind: 'off' }],
    ['404 that speaks of a user', error(404, 'UnknownEmailError'), { kind: 'split', code: 'iterable.unknown_user' }],
    ['403', error(403, 'Forbidden'), { kind: 'off' }],
    ['405', answer(405, HTML), { kind: 'off' }],
    ['401', error(401, 'BadApiKey'), { kind: 'refused', code: 'iterable.access_refused' }],
    ['400 of an email', error(400, 'InvalidEmailAddressError'), { kind: 'split', code: 'iterable.invalid_email' }],
    ['400 of an unknown user', error(400, 'UnknownUserIdError'), { kind: 'split', code: 'iterable.unknown_user' }],
    ['400 of its parameters', error(400, 'BadParams'), { kind: 'split', code: 'iterable.malformed_user' }],
    ['409', answer(409), { kind: 'split', code: 'iterable.identity_conflict' }],
    ['413', answer(413, HTML), { kind: 'split', code: 'iterable.bad_request' }],
    ['429', error(429, 'RateLimitExceeded'), { kind: 'retry', code: 'iterable.rate_limited' }],
    ['500', error(500, 'GenericError'), { kind: 'retry', code: 'iterable.unavailable' }],
    ['no answer', late, { kind: 'retry', code: 'iterable.timeout' }],
  ])('%s', (_, given, expected) => {
    expect(classifyGroupAnswer(given as Parameters<typeof classifyGroupAnswer>[0])).toEqual(expected);
  });
});

describe('classifyListsAnswer', () => {
  const sent = [{ email: 'Ada@example.com' }, { userId: '003A' }, { userId: '003B' }];
  const none = { invalidEmails: [], invalidUserIds: [], validEmailFailures: [], validUserIdFailures: [] };

  it.each<[string, object, string[]]>([
    ['all', { successCount: 3, failCount: 0, ...none }, ['done', 'done', 'done']],
    ['no lists', { successCount: 3, failCount: 0 }, ['done', 'done', 'done']],
    [
      'an invalid one, in lower case',
      { successCount: 2, failCount: 1, invalidEmails: ['ada@example.com'] },
      ['invalid', 'done', 'done'],
    ],
    [
      'internal errors',
      {
        successCount: 1,
        failCount: 2,
        ...none,
        validEmailFailures: ['ada@example.com'],
        validUserIdFailures: ['003B'],
      },
      ['failed', 'done', 'failed'],
    ],
    ['a failure without a name', { successCount: 2, failCount: 1 }, ['unclear', 'unclear', 'unclear']],
    [
      'one named, one not',
      { successCount: 1, failCount: 2, invalidUserIds: ['003A'] },
      ['unclear', 'invalid', 'unclear'],
    ],
    ['counts as text', { successCount: '2', failCount: '1', invalidUserIds: ['003A'] }, ['done', 'invalid', 'done']],
    ['counts that do not add up', { successCount: 1, failCount: 0 }, ['unclear', 'unclear', 'unclear']],
  ])('%s', (_, body, expected) => {
    const verdict = classifyListsAnswer(sent, answer(200, body));
    expect(verdict.kind === 'answered' && verdict.users.map(({ kind }) => kind)).toEqual(expected);
  });

  it.each<[string, ReturnType<typeof answer> | Error, object]>([
    ['no counts', answer(200, { code: 'Success' }), { kind: 'retry', code: 'iterable.unreadable_answer' }],
    ['HTML', answer(200, HTML), { kind: 'retry', code: 'iterable.unreadable_answer' }],
    ['409', error(409, 'ForgottenUserError'), { kind: 'split', code: 'iterable.forgotten' }],
    ['403', error(403, 'Forbidden'), { kind: 'refused', code: 'iterable.access_refused' }],
    ['503', answer(503, HTML), { kind: 'retry', code: 'iterable.unavailable' }],
    ['no answer', late, { kind: 'retry', code: 'iterable.timeout' }],
  ])('%s', (_, given, expected) => {
    expect(classifyListsAnswer(sent, given as ReturnType<typeof answer>)).toEqual(expected);
  });
});
