import { describe, expect, it } from 'vitest';
import { classifyBulkAnswer, type UserVerdict } from './classify.js';
import { deadReasons, refusedReasons } from './codes.js';
import { IterableTimeoutError, IterableUnreachableError } from './errors.js';
import { packUser } from './pack.js';

const ada = packUser({ userId: '003Kd00000AbCdEIAV', dataFields: { email: 'ada.byron@example.com' } });
const bad = packUser({
  userId: '00QKd00000LmNoPIAV',
  dataFields: { email: 'not-an-email', when: '2026-11-24 08:15:30.000' },
});
const grace = packUser({ email: 'Grace@Example.com', dataFields: { Company: { size: 7 } } });
const sent = [ada, bad, grace];

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers,
  text: typeof body === 'string' ? body : JSON.stringify(body),
  receivedAtMs: 0,
});

/** `w` written, `?` unclear, else the code without its owner. */
const short = (users: readonly UserVerdict[]) =>
  users.map((user) =>
    user.kind === 'written' ? 'w' : user.kind === 'unclear' ? '?' : user.code.replace('iterable.', ''),
  );

const none = {
  invalidEmails: [],
  invalidUserIds: [],
  notFoundEmails: [],
  notFoundUserIds: [],
  invalidDataEmails: [],
  invalidDataUserIds: [],
  conflictEmails: [],
  conflictUserIds: [],
  forgottenEmails: [],
  forgottenUserIds: [],
};
const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';

describe('classifyBulkAnswer, a 200', () => {
  it.each<[string, object, string[]]>([
    ['all written', { successCount: 3, failCount: 0, failedUpdates: none }, ['w', 'w', 'w']],
    ['no lists at all', { successCount: 3, failCount: 0 }, ['w', 'w', 'w']],
    [
      'the documented partial failure, listed twice',
      {
        successCount: 2,
        failCount: 1,
        invalidEmails: ['not-an-email'],
        invalidUserIds: [],
        filteredOutFields: ['sfUnmappedField'],
        createdFields: [],
        noOpEmails: [],
        noOpUserIds: [],
        failedUpdates: { ...none, invalidEmails: ['not-an-email'] },
      },
      ['w', 'invalid_email', 'w'],
    ],
    [
      'only the deprecated list at the top',
      { successCount: 2, failCount: 1, invalidUserIds: ['00QKd00000LmNoPIAV'] },
      ['w', 'invalid_user_id', 'w'],
    ],
    [
      'another case of an email',
      { successCount: 2, failCount: 1, failedUpdates: { forgottenEmails: ['GRACE@example.COM'] } },
      ['w', 'w', 'forgotten'],
    ],
    [
      'user ids compare exactly',
      { successCount: 2, failCount: 1, failedUpdates: { forgottenUserIds: ['003KD00000ABCDEIAV'] } },
      ['?', '?', '?'],
    ],
    [
      'the email of a user sent by id',
      { successCount: 2, failCount: 1, failedUpdates: { notFoundEmails: ['ada.byron@example.com'] } },
      ['unknown_user', 'w', 'w'],
    ],
    [
      'every list',
      {
        successCount: 0,
        failCount: 3,
        failedUpdates: {
          notFoundUserIds: ['003Kd00000AbCdEIAV'],
          invalidDataUserIds: ['00QKd00000LmNoPIAV'],
          conflictEmails: ['grace@example.com'],
        },
      },
      ['unknown_user', 'invalid_data', 'identity_conflict'],
    ],
    [
      'a user in two lists, counted once: the graver',
      {
        successCount: 2,
        failCount: 1,
        failedUpdates: { invalidDataEmails: ['grace@example.com'], forgottenEmails: ['grace@example.com'] },
      },
      ['w', 'w', 'forgotten'],
    ],
    [
      'a list of the future',
      { successCount: 2, failCount: 1, failedUpdates: { quarantinedUserIds: ['003Kd00000AbCdEIAV'] } },
      ['unknown_failure', 'w', 'w'],
    ],
    [
      'a list of objects',
      { successCount: 2, failCount: 1, failedUpdates: { quarantined: [{ userId: '003Kd00000AbCdEIAV' }] } },
      ['unknown_failure', 'w', 'w'],
    ],
    [
      'no-ops, counted as successes',
      { successCount: 3, failCount: 0, noOpEmails: ['grace@example.com'] },
      ['w', 'w', 'w'],
    ],
    ['no-ops, not counted', { successCount: 2, failCount: 0, noOpEmails: ['grace@example.com'] }, ['w', 'w', 'w']],
    ['a failure that no list names', { successCount: 2, failCount: 1, failedUpdates: none }, ['?', '?', '?']],
    [
      'one listed, one hidden',
      { successCount: 1, failCount: 2, failedUpdates: { invalidUserIds: ['003Kd00000AbCdEIAV'] } },
      ['invalid_user_id', '?', '?'],
    ],
    [
      'all others must have failed',
      { successCount: 0, failCount: 3, failedUpdates: { invalidUserIds: ['003Kd00000AbCdEIAV'] } },
      ['invalid_user_id', 'unknown_failure', 'unknown_failure'],
    ],
    ['counts that do not reach the number sent', { successCount: 2, failCount: 0 }, ['?', '?', '?']],
    ['nothing counted', { successCount: 0, failCount: 0 }, ['unaccounted', 'unaccounted', 'unaccounted']],
    [
      'a conflict that names a profile not sent',
      { successCount: 2, failCount: 1, failedUpdates: { conflictEmails: ['owner@example.com'] } },
      ['?', '?', '?'],
    ],
    ['the same without counts', { failedUpdates: { conflictEmails: ['owner@example.com'] } }, ['?', '?', '?']],
    [
      'counts as text',
      { successCount: '2', failCount: '1', failedUpdates: { invalidEmails: ['not-an-email'] } },
      ['w', 'invalid_email', 'w'],
    ],
    ['lists without counts', { failedUpdates: { invalidEmails: ['not-an-email'] } }, ['w', 'invalid_email', 'w']],
    [
      'more listed than counted: the lists say who',
      { successCount: 3, failCount: 0, failedUpdates: { invalidEmails: ['not-an-email'] } },
      ['w', 'invalid_email', 'w'],
    ],
    [
      'null for a list',
      { successCount: 3, failCount: 0, failedUpdates: { invalidEmails: null }, invalidEmails: null },
      ['w', 'w', 'w'],
    ],
  ])('%s', (_, body, expected) => {
    const verdict = classifyBulkAnswer(sent, answer(200, body));
    expect(verdict.kind === 'answered' && short(verdict.users)).toEqual(expected);
  });

  it('gives a single user the code of a list that names somebody else', () => {
    const body = { successCount: 0, failCount: 1, failedUpdates: { conflictEmails: ['owner@example.com'] } };
    expect(classifyBulkAnswer([ada], answer(200, body))).toMatchObject({
      kind: 'answered',
      users: [{ kind: 'dead', code: 'iterable.identity_conflict' }],
    });
  });

  it('tells what became of fields, and how many users were so already', () => {
    const lists = {
      createdFields: ['Company.size', 'Company.size', 7],
      filteredOutFields: ['when'],
      noOpEmails: ['grace@example.com', 'GRACE@example.com', 'stranger@example.com'],
      noOpUserIds: ['003Kd00000AbCdEIAV', '00QKd00000LmNoPIAV'],
      failedUpdates: { invalidEmails: ['not-an-email'] },
    };
    expect(classifyBulkAnswer(sent, answer(200, { successCount: 2, failCount: 1, ...lists }))).toMatchObject({
      createdFields: ['Company.size'],
      filteredOutFields: ['when'],
      unchanged: 2,
    });
    for (const absent of [undefined, null, 'when', {}]) {
      const body = {
        successCount: 3,
        failCount: 0,
        createdFields: absent,
        filteredOutFields: absent,
        noOpEmails: absent,
      };
      const nothing = { createdFields: [], filteredOutFields: [], unchanged: 0 };
      expect(classifyBulkAnswer(sent, answer(200, body))).toMatchObject(nothing);
    }
  });

  it.each([
    ['HTML', HTML],
    ['nothing', ''],
    ['a body cut short', '{"successCount":'],
    ['another endpoint’s success', { msg: '', code: 'Success', params: null }],
    ['a list', []],
  ])('is to be repeated when its body is %s: what was applied is unknown', (_, body) => {
    expect(classifyBulkAnswer(sent, answer(200, body))).toEqual({ kind: 'retry', code: 'iterable.unreadable_answer' });
  });
});

describe('classifyBulkAnswer, not a 200', () => {
  const retry = (code: string, retryAfterMs?: number) => ({ kind: 'retry', code, retryAfterMs });
  const refused = (code: string) => ({ kind: 'refused', code });
  const split = (code: string, suspects: number[] = [], mismatches: object[] = []) => ({
    kind: 'split',
    cause: 'bad_user',
    code,
    suspects,
    mismatches,
  });
  const tooLarge = { kind: 'split', cause: 'too_large', code: 'iterable.user_too_large' };

  it.each<[string, number, unknown, object]>([
    [
      'the documented 429',
      429,
      {
        msg: 'Exceeded rate limit.',
        code: 'RateLimitExceeded',
        params: { rateLimitLimit: 5, rateLimitRemaining: 0, rateLimitReset: 1 },
      },
      retry('iterable.rate_limited', 1_000),
    ],
    [
      '429 without a hint',
      429,
      { msg: 'Exceeded rate limit.', code: 'RateLimitExceeded', params: null },
      retry('iterable.rate_limited'),
    ],
    ['429 as HTML', 429, HTML, retry('iterable.rate_limited')],
    ['500', 500, { code: 'GenericError', msg: '', params: null }, retry('iterable.unavailable')],
    ['502 as HTML', 502, HTML, retry('iterable.unavailable')],
    ['504 without a body', 504, '', retry('iterable.unavailable')],
    ['408', 408, '', retry('iterable.unavailable')],
    ['400 of the mail queue', 400, { code: 'QueueEmailError' }, retry('iterable.unavailable')],
    [
      'the documented 401',
      401,
      { msg: 'Disabled API key or insufficient privileges', code: 'BadApiKey', params: { ip: '192.0.2.10' } },
      refused('iterable.access_refused'),
    ],
    ['403', 403, { code: 'Forbidden' }, refused('iterable.access_refused')],
    ['400 that is about the key', 400, { code: 'BadApiKey' }, refused('iterable.access_refused')],
    ['404', 404, { code: 'NotFound' }, refused('iterable.wrong_address')],
    ['a redirect', 302, '', refused('iterable.wrong_address')],
    ['the field budget', 400, { code: 'UniqueFieldsLimitExceeded' }, refused('iterable.field_limit_reached')],
    ['413 from an ingress', 413, HTML, tooLarge],
    ['400 BatchTooLarge', 400, { code: 'BatchTooLarge' }, tooLarge],
    [
      'the documented BadJsonBody',
      400,
      {
        msg: '[/api/users/bulkUpdate] Invalid JSON body',
        code: 'BadJsonBody',
        params: { 'obj.users[1].preferUserId': 'Boolean value expected' },
      },
      split('iterable.malformed_user', [1]),
    ],
    [
      'BadJsonBody of a row that was not sent',
      400,
      { code: 'BadJsonBody', params: { 'obj.users[7].email': '' } },
      split('iterable.malformed_user'),
    ],
    [
      'the documented type mismatch',
      400,
      {
        msg: "Project 10001: … Field 'when' already exists",
        code: 'RequestFieldsTypesMismatched',
        params: {
          validationErrors: {
            when: {
              incomingTypes: ['string', 'keyword'],
              expectedType: 'date',
              category: 'user',
              offendingValue: '2026-11-24 08:15:30.000',
              _type: 'UnexpectedType',
            },
          },
        },
      },
      split('iterable.field_type_mismatch', [1], [{ field: 'when', expected: 'date' }]),
    ],
    [
      'a mismatch of a nested field, given as text',
      400,
      {
        code: 'RequestFieldsTypesMismatched',
        params: { validationErrors: { 'Company.size': { offendingValue: '7' } } },
      },
      split('iterable.field_type_mismatch', [2], [{ field: 'Company.size', expected: null }]),
    ],
    [
      'a mismatch without a value',
      400,
      { code: 'RequestFieldsTypesMismatched', params: { validationErrors: { when: {} } } },
      split('iterable.field_type_mismatch', [], [{ field: 'when', expected: null }]),
    ],
    [
      'a mismatch without params',
      400,
      { code: 'RequestFieldsTypesMismatched', params: null },
      split('iterable.field_type_mismatch'),
    ],
    ['one bad email that fails all', 400, { code: 'InvalidEmailAddressError' }, split('iterable.invalid_email')],
    [
      'code Success on a 400',
      400,
      { code: 'Success', msg: 'error.lists.invalidListId(4)' },
      split('iterable.bad_request'),
    ],
    ['400 as HTML', 400, HTML, split('iterable.bad_request')],
    ['422', 422, { code: 'Whatever' }, split('iterable.bad_request')],
    ['409 of a forgotten user', 409, { code: 'ForgottenUserError' }, split('iterable.forgotten')],
    ['409 without a code', 409, '', split('iterable.identity_conflict')],
  ])('%s', (_, status, body, expected) => {
    expect(classifyBulkAnswer(sent, answer(status, body))).toEqual(expected);
  });

  it('honours Retry-After', () => {
    expect(classifyBulkAnswer(sent, answer(503, HTML, { 'retry-after': '7' }))).toEqual(
      retry('iterable.unavailable', 7_000),
    );
  });

  it.each([new IterableUnreachableError('reset'), new IterableTimeoutError('late')])(
    '$code is to be repeated',
    (error) => {
      expect(classifyBulkAnswer(sent, error)).toEqual({ kind: 'retry', code: error.code });
    },
  );
});

describe('the texts of the codes', () => {
  it('are whole sentences without values', () => {
    for (const text of Object.values({ ...deadReasons, ...refusedReasons })) expect(text).toMatch(/^[A-Z][^{}$]+\.$/);
  });
});
