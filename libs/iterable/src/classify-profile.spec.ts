import { describe, expect, it } from 'vitest';
import { classifyProfileAnswer, type ProfileCall, type ProfileVerdict } from './classify-profile.js';
import { deadReasons, refusedReasons } from './codes.js';
import { IterableTimeoutError, IterableUnreachableError } from './errors.js';

const rename: ProfileCall = { kind: 'update-email', from: 'old@example.com', to: 'new@example.com' };
const merge: ProfileCall = { kind: 'merge', source: { userId: '00Q1' }, destination: { userId: '0031' } };
const remove: ProfileCall = { kind: 'delete', profile: { email: 'old@example.com' } };
const forget: ProfileCall = { kind: 'forget', profile: { email: 'old@example.com' } };
const unforget: ProfileCall = { kind: 'unforget', profile: { email: 'old@example.com' } };
const calls = [rename, merge, remove, forget, unforget];

const answer = (status: number, body: unknown = '', headers: Record<string, string> = {}) => ({
  status,
  headers,
  text: typeof body === 'string' ? body : JSON.stringify(body),
  receivedAtMs: 0,
});
const error = (status: number, code: string, params: unknown = null) => answer(status, { msg: '', code, params });
const limited = (params: unknown) => error(429, 'RateLimitExceeded', params);

const done: ProfileVerdict = { kind: 'done' };
const exists: ProfileVerdict = { kind: 'exists' };
const unknown: ProfileVerdict = { kind: 'already', why: 'unknown-user' };
const forgotten: ProfileVerdict = { kind: 'already', why: 'forgotten' };
const dead = (code: keyof typeof deadReasons): ProfileVerdict => ({ kind: 'dead', code });
const refused = (code: keyof typeof refusedReasons): ProfileVerdict => ({ kind: 'refused', code });
const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';

/** The same verdict for every kind of call. */
const all = (verdict: ProfileVerdict) => calls.map((call) => [call, verdict] as const);

describe('classifyProfileAnswer', () => {
  it.each<[string, ReturnType<typeof answer>, ReadonlyArray<readonly [ProfileCall, ProfileVerdict]>]>([
    ['200 Success', error(200, 'Success'), all(done)],
    ['202 without a code', answer(202, {}), all(done)],
    // 400, in the order of the documented list
    ['400 BadJsonBody', error(400, 'BadJsonBody'), all(dead('iterable.malformed_user'))],
    ['400 BadParams', error(400, 'BadParams'), all(dead('iterable.malformed_user'))],
    ['400 BatchTooLarge', error(400, 'BatchTooLarge'), all(dead('iterable.bad_request'))],
    [
      '400 EmailAlreadyExists',
      error(400, 'EmailAlreadyExists'),
      [
        [rename, exists],
        [merge, dead('iterable.identity_conflict')],
      ],
    ],
    [
      '400 ForgottenUserError',
      error(400, 'ForgottenUserError'),
      [
        [rename, dead('iterable.forgotten')],
        [merge, dead('iterable.forgotten')],
        [forget, forgotten],
        [unforget, dead('iterable.forgotten')],
      ],
    ],
    ['400 InvalidEmailAddressError', error(400, 'InvalidEmailAddressError'), all(dead('iterable.invalid_email'))],
    ['400 InvalidJwtPayload', error(400, 'InvalidJwtPayload'), all(refused('iterable.access_refused'))],
    ['400 InvalidUserIdError', error(400, 'InvalidUserIdError'), all(dead('iterable.invalid_user_id'))],
    [
      '400 JwtUserIdentifiersMismatched',
      error(400, 'JwtUserIdentifiersMismatched'),
      all(refused('iterable.access_refused')),
    ],
    ['400 QueueEmailError', error(400, 'QueueEmailError'), all({ kind: 'retry', code: 'iterable.unavailable' })],
    [
      '400 RequestFieldsTypesMismatched',
      error(400, 'RequestFieldsTypesMismatched'),
      all(dead('iterable.field_type_mismatch')),
    ],
    [
      '400 UniqueFieldsLimitExceeded',
      error(400, 'UniqueFieldsLimitExceeded'),
      all(refused('iterable.field_limit_reached')),
    ],
    ['400 UnknownEmailError', error(400, 'UnknownEmailError'), all(unknown)],
    ['400 UnknownUserIdError', error(400, 'UnknownUserIdError'), all(unknown)],
    [
      '400 BadParams of an unknown user, as recorded of updateEmail',
      answer(400, {
        msg: 'Cannot change user Some(old@example.com) to new@example.com. User does not exist',
        code: 'BadParams',
        params: null,
      }),
      all(unknown),
    ],
    ['400 noUserWithIdExists', error(400, 'error.users.noUserWithIdExists'), all(unknown)],
    ['400 UserIdAlreadyExists', error(400, 'UserIdAlreadyExists'), all(dead('iterable.identity_conflict'))],
    ['400 whose code says Success', error(400, 'Success'), all(dead('iterable.bad_request'))],
    ['400 as HTML', answer(400, HTML), all(dead('iterable.bad_request'))],
    ['401 BadApiKey', error(401, 'BadApiKey'), all(refused('iterable.access_refused'))],
    ['401 BadAuthorizationHeader', error(401, 'BadAuthorizationHeader'), all(refused('iterable.access_refused'))],
    ['401 Unauthorized', error(401, 'Unauthorized'), all(refused('iterable.access_refused'))],
    ['403 Forbidden', error(403, 'Forbidden'), all(refused('iterable.access_refused'))],
    ['403 ForbiddenParamsError', error(403, 'ForbiddenParamsError'), all(refused('iterable.access_refused'))],
    [
      '404 NotFound',
      error(404, 'NotFound'),
      calls.map((call) => [call, call.kind === 'delete' ? unknown : refused('iterable.wrong_address')] as const),
    ],
    ['404 as HTML', answer(404, HTML), all(refused('iterable.wrong_address'))],
    ['404 that speaks of the user', error(404, 'UnknownEmailError'), all(unknown)],
    ['404 that speaks of the user otherwise', error(404, 'error.users.noUserWithIdExists'), all(unknown)],
    ['a redirect', answer(302), all(refused('iterable.wrong_address'))],
    ['409 EmailAlreadyExists', error(409, 'EmailAlreadyExists'), [[rename, exists]]],
    [
      '409 ExternalKeyConflict',
      error(409, 'ExternalKeyConflict'),
      [
        [rename, exists],
        [merge, dead('iterable.identity_conflict')],
      ],
    ],
    [
      '409 Conflict',
      error(409, 'Conflict'),
      [
        [rename, exists],
        [merge, dead('iterable.identity_conflict')],
      ],
    ],
    ['409 UserIdAlreadyExists', error(409, 'UserIdAlreadyExists'), [[rename, dead('iterable.identity_conflict')]]],
    [
      '409 ForgottenUserError',
      error(409, 'ForgottenUserError'),
      [
        [rename, dead('iterable.forgotten')],
        [merge, dead('iterable.forgotten')],
        [remove, forgotten],
        [forget, forgotten],
      ],
    ],
    [
      '409 without a code',
      answer(409),
      [
        [rename, exists],
        [merge, dead('iterable.identity_conflict')],
      ],
    ],
    [
      '429 with a hint',
      limited({ rateLimitReset: '2' }),
      all({ kind: 'retry', code: 'iterable.rate_limited', retryAfterMs: 2_000 }),
    ],
    ['429 without one', limited(null), all({ kind: 'retry', code: 'iterable.rate_limited' })],
    ['429 as HTML', answer(429, HTML), all({ kind: 'retry', code: 'iterable.rate_limited' })],
    [
      '429 until tomorrow',
      limited({ rateLimitReset: 40_000 }),
      [
        [forget, { kind: 'daily-limit', retryAfterMs: 40_000_000 }],
        [unforget, { kind: 'daily-limit', retryAfterMs: 40_000_000 }],
        [remove, { kind: 'retry', code: 'iterable.rate_limited', retryAfterMs: 300_000 }],
      ],
    ],
    [
      '429 until tomorrow, by header',
      answer(429, '', { 'retry-after': '3600' }),
      [[forget, { kind: 'daily-limit', retryAfterMs: 3_600_000 }]],
    ],
    ['500 DatabaseError', error(500, 'DatabaseError'), all({ kind: 'retry', code: 'iterable.unavailable' })],
    ['500 GenericError', error(500, 'GenericError'), all({ kind: 'retry', code: 'iterable.unavailable' })],
    ['500 QueueEmailError', error(500, 'QueueEmailError'), all({ kind: 'retry', code: 'iterable.unavailable' })],
    [
      '500 that speaks of the user',
      error(500, 'UnknownEmailError'),
      all({ kind: 'retry', code: 'iterable.unavailable' }),
    ],
    ['502 as HTML', answer(502, HTML), all({ kind: 'retry', code: 'iterable.unavailable' })],
    ['408', answer(408), all({ kind: 'retry', code: 'iterable.unavailable' })],
    ['200 as HTML', answer(200, HTML), all({ kind: 'retry', code: 'iterable.unreadable_answer' })],
    ['200 without a body', answer(200), all({ kind: 'retry', code: 'iterable.unreadable_answer' })],
    [
      '200 with the code of an error',
      error(200, 'GenericError'),
      all({ kind: 'retry', code: 'iterable.unreadable_answer' }),
    ],
  ])('%s', (_, given, expected) => {
    for (const [call, verdict] of expected) {
      expect([call.kind, classifyProfileAnswer(call, given)]).toEqual([call.kind, verdict]);
    }
  });

  it.each([new IterableUnreachableError('reset'), new IterableTimeoutError('late')])('no answer: %s', (failure) => {
    for (const call of calls)
      expect(classifyProfileAnswer(call, failure)).toEqual({ kind: 'retry', code: failure.code });
  });
});
