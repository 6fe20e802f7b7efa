import { describe, expect, it } from 'vitest';
import { ada, answer, bad, grace, HTML, sent } from './bulk-answers.cases.js';
import { classifyBulkAnswer } from './classify.js';
import { deadReasons, refusedReasons } from './codes.js';
import { IterableTimeoutError, IterableUnreachableError } from './errors.js';
import { packUser } from './pack.js';

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
    ['405', 405, HTML, refused('iterable.wrong_address')],
    ['407 of a proxy', 407, HTML, refused('iterable.access_refused')],
    ['401 whose code says Success', 401, { code: 'Success' }, refused('iterable.access_refused')],
    ['403 that speaks of a user', 403, { code: 'ForgottenUserError' }, refused('iterable.access_refused')],
    [
      'another endpoint’s envelope',
      404,
      {
        error: 'NotFound',
        message: 'Catalog not found: x',
        code: 'error.catalogs.notFound',
        data: { args: ['x'] },
      },
      refused('iterable.wrong_address'),
    ],
    [
      'that envelope with a code of ours',
      400,
      { error: 'BadApiKey', message: '', code: 'error.auth.badKey', data: {} },
      refused('iterable.access_refused'),
    ],
    ['that envelope with a code of nobody’s', 400, { code: 'error.x.y', data: {} }, split('iterable.bad_request')],
    [
      '404 about a user',
      404,
      { code: 'error.users.noUserWithIdExists', msg: 'no user 00QKd00000LmNoPIAV' },
      split('iterable.unknown_user', [1]),
    ],
    [
      'an unknown user told in words',
      400,
      { code: 'BadParams', msg: 'Cannot change user Some(grace@example.com). User does not exist', params: null },
      split('iterable.unknown_user', [2]),
    ],
    ['500 that speaks of a user', 500, { code: 'InvalidEmailAddressError' }, retry('iterable.unavailable')],
    ['500 whose code says Success', 500, { code: 'Success' }, retry('iterable.unavailable')],
    ['500 of the database', 500, { code: 'DatabaseError' }, retry('iterable.unavailable')],
    ['425', 425, '', retry('iterable.unavailable')],
    ['408 with a code', 408, { code: 'BadJsonBody' }, retry('iterable.unavailable')],
    ['400 that is a limit', 400, { code: 'RateLimitExceeded' }, retry('iterable.rate_limited')],
    [
      '429 with numbers as text',
      429,
      { code: 'RateLimitExceeded', params: { rateLimitReset: '2' } },
      retry('iterable.rate_limited', 2_000),
    ],
    ['429 whose params are a list', 429, { params: [{ rateLimitReset: 2 }] }, retry('iterable.rate_limited')],
    ['429 whose body is a list', 429, [], retry('iterable.rate_limited')],
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
      'two fields, a type in a list, and a value within an array of objects',
      400,
      {
        code: 'RequestFieldsTypesMismatched',
        params: {
          validationErrors: {
            'Orders.total': { expectedType: ['long', 'double'], offendingValue: 'x' },
            tags: { expectedType: 'string', offendingValue: 7 },
          },
        },
      },
      split(
        'iterable.field_type_mismatch',
        [0],
        [
          { field: 'Orders.total', expected: 'long' },
          { field: 'tags', expected: 'string' },
        ],
      ),
    ],
    [
      'a mismatch whose errors are a list',
      400,
      { code: 'RequestFieldsTypesMismatched', params: { validationErrors: [{ field: 'when' }] } },
      split('iterable.field_type_mismatch'),
    ],
    [
      'a mismatch without params',
      400,
      { code: 'RequestFieldsTypesMismatched', params: null },
      split('iterable.field_type_mismatch'),
    ],
    ['one bad email that fails all', 400, { code: 'InvalidEmailAddressError' }, split('iterable.invalid_email')],
    [
      'one that is named in words, as recorded',
      400,
      { msg: 'Invalid email: not-an-email', code: 'InvalidEmailAddressError', params: null },
      split('iterable.invalid_email', [1]),
    ],
    [
      'one that is named in words and in quotes, in another case, at the end of a sentence',
      409,
      { code: 'ForgottenUserError', msg: "Cannot update 'GRACE@example.com'." },
      split('iterable.forgotten', [2]),
    ],
    [
      'one that is named in params',
      400,
      { code: 'InvalidUserIdError', params: { userId: '003Kd00000AbCdEIAV' } },
      split('iterable.invalid_user_id', [0]),
    ],
    [
      'somebody named who was not sent',
      400,
      { code: 'InvalidEmailAddressError', msg: 'Invalid email: owner@example.com' },
      split('iterable.invalid_email'),
    ],
    ['params as text', 400, { code: 'InvalidUserIdError', params: '003' }, split('iterable.invalid_user_id')],
    ['a code that is no text', 400, { code: 7 }, split('iterable.bad_request')],
    ['a code that objects have', 400, { code: 'constructor' }, split('iterable.bad_request')],
    ['a body that is a list', 400, [], split('iterable.bad_request')],
    ['a body that is null', 400, 'null', split('iterable.bad_request')],
    ['a body that is text', 400, '"BadApiKey"', split('iterable.bad_request')],
    ['no body', 400, '', split('iterable.bad_request')],
    ['409 ExternalKeyConflict', 409, { code: 'ExternalKeyConflict' }, split('iterable.identity_conflict')],
    ['409 Conflict', 409, { code: 'Conflict' }, split('iterable.identity_conflict')],
    ['409 as HTML', 409, HTML, split('iterable.identity_conflict')],
    ['413 without a body', 413, '', tooLarge],
    ['413 as JSON', 413, { code: 'BatchTooLarge', msg: '' }, tooLarge],
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

  it('is the same of one user alone', () => {
    const body = { code: 'RequestFieldsTypesMismatched', params: null };
    expect(classifyBulkAnswer([bad], answer(400, body))).toEqual(split('iterable.field_type_mismatch'));
    expect(classifyBulkAnswer([bad], answer(413, HTML))).toEqual(tooLarge);
  });

  it('suspects by every identifier, and by elements of an array', () => {
    const users = [ada, packUser({ userId: 'x', dataFields: { tags: ['a', 7] } }), grace];
    const params = { validationErrors: { tags: { expectedType: 'string', offendingValue: 7 } } };
    expect(classifyBulkAnswer(users, answer(400, { code: 'RequestFieldsTypesMismatched', params }))).toMatchObject({
      suspects: [1],
    });
    const words = { code: 'UnknownEmailError', msg: 'x; ada.byron@example.com, [GRACE@EXAMPLE.COM]' };
    expect(classifyBulkAnswer(users, answer(400, words))).toMatchObject({ suspects: [0, 1, 2] });
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
