import { describe, expect, it } from 'vitest';
import { ada, answer, HTML, none, sent, short } from './bulk-answers.cases.js';
import { classifyBulkAnswer } from './classify.js';

describe('classifyBulkAnswer, a 200', () => {
  it.each(
    Object.entries({
      invalid: ['invalid_email', 'invalid_user_id'],
      notFound: ['unknown_user', 'unknown_user'],
      invalidData: ['invalid_data', 'invalid_data'],
      conflict: ['identity_conflict', 'identity_conflict'],
      forgotten: ['forgotten', 'forgotten'],
    }),
  )('%sEmails and %sUserIds, in failedUpdates and at the top', (prefix, [email, userId]) => {
    const lists = { [`${prefix}Emails`]: ['grace@example.com'], [`${prefix}UserIds`]: ['003Kd00000AbCdEIAV'] };
    for (const body of [
      { failedUpdates: lists },
      { failedUpdates: none, ...lists },
      { failedUpdates: lists, ...lists },
    ]) {
      const verdict = classifyBulkAnswer(sent, answer(200, { successCount: 1, failCount: 2, ...body }));
      expect(verdict.kind === 'answered' && short(verdict.users)).toEqual([userId, 'w', email]);
    }
  });

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
      'listed twice, and again at the top in another case: one failure',
      {
        successCount: 2,
        failCount: 1,
        invalidEmails: ['NOT-an-email'],
        failedUpdates: { invalidEmails: ['not-an-email', 'not-an-email'] },
      },
      ['w', 'invalid_email', 'w'],
    ],
    [
      'both identifiers of a user, counted once',
      {
        successCount: 2,
        failCount: 1,
        failedUpdates: { conflictEmails: ['ada.byron@example.com'], conflictUserIds: ['003Kd00000AbCdEIAV'] },
      },
      ['identity_conflict', 'w', 'w'],
    ],
    [
      'both identifiers of a user, counted twice: whom else it counts is not known',
      {
        successCount: 1,
        failCount: 2,
        failedUpdates: { conflictEmails: ['ada.byron@example.com'], conflictUserIds: ['003Kd00000AbCdEIAV'] },
      },
      ['identity_conflict', '?', '?'],
    ],
    [
      'a conflict that names one user by its own and by the identifier in its way',
      {
        successCount: 2,
        failCount: 1,
        failedUpdates: { conflictEmails: ['ada.byron@example.com'], conflictUserIds: ['003Kd00000OwnerAAA'] },
      },
      ['identity_conflict', 'w', 'w'],
    ],
    [
      'an email in a list of user ids',
      { successCount: 2, failCount: 1, failedUpdates: { invalidUserIds: ['Grace@example.com'] } },
      ['w', 'w', 'invalid_user_id'],
    ],
    [
      'all failed, and all are listed',
      {
        successCount: 0,
        failCount: 3,
        failedUpdates: {
          forgottenEmails: ['grace@example.com'],
          notFoundUserIds: ['003Kd00000AbCdEIAV', '00QKd00000LmNoPIAV'],
        },
      },
      ['unknown_user', 'unknown_user', 'forgotten'],
    ],
    [
      'all failed, for two reasons that name others',
      {
        successCount: 0,
        failCount: 3,
        failedUpdates: { conflictEmails: ['owner@example.com'], forgottenUserIds: ['003Kd00000OwnerAAA'] },
      },
      ['unknown_failure', 'unknown_failure', 'unknown_failure'],
    ],
    [
      'lists of the future, each of another shape',
      {
        successCount: 0,
        failCount: 3,
        failedUpdates: {
          quarantined: [{ user: { id: '003Kd00000AbCdEIAV' }, reason: 'spam' }],
          rejectedEmails: { 'not-an-email': 'syntax' },
          held: 'GRACE@example.com',
          notes: [{ level: 'info' }, null, 7],
        },
      },
      ['unknown_failure', 'unknown_failure', 'unknown_failure'],
    ],
    [
      'one list in place of all',
      { successCount: 2, failCount: 1, failedUpdates: [{ email: 'grace@example.com', reason: 'forgotten' }] },
      ['w', 'w', 'unknown_failure'],
    ],
    [
      'an unknown list elsewhere, while all are counted as written',
      { successCount: 3, failCount: 0, failedUpdates: none, reviewedUserIds: ['003Kd00000AbCdEIAV'] },
      ['w', 'w', 'w'],
    ],
    [
      'an unknown list elsewhere that names as many as are missing: these are looked at again',
      {
        successCount: 1,
        failCount: 2,
        failedUpdates: { invalidEmails: ['not-an-email'] },
        validUserIdFailures: ['003Kd00000AbCdEIAV'],
      },
      ['?', 'invalid_email', 'w'],
    ],
    [
      'an unknown list elsewhere that names fewer',
      { successCount: 1, failCount: 2, validEmailFailures: [{ email: 'grace@example.com' }] },
      ['?', '?', '?'],
    ],
    [
      'an unknown list elsewhere that names all',
      {
        successCount: 0,
        failCount: 3,
        validUserIdFailures: ['003Kd00000AbCdEIAV', '00QKd00000LmNoPIAV'],
        validEmailFailures: ['grace@example.com'],
      },
      ['unknown_failure', 'unknown_failure', 'unknown_failure'],
    ],
    [
      'an unknown list elsewhere, and nothing is counted',
      { failedUpdates: none, droppedUserIds: ['003Kd00000AbCdEIAV'] },
      ['?', 'w', 'w'],
    ],
    [
      'members that name nobody',
      { successCount: 3, failCount: 0, requestId: 'r1', processing: { region: 'us', warnings: [] } },
      ['w', 'w', 'w'],
    ],
    ['only the deprecated lists', { invalidEmails: ['not-an-email'], invalidUserIds: [] }, ['w', 'invalid_email', 'w']],
    ['only no-ops', { noOpUserIds: ['003Kd00000AbCdEIAV'], noOpEmails: [] }, ['w', 'w', 'w']],
    [
      'no-ops, counted as failures: who failed is not told',
      { successCount: 2, failCount: 1, noOpEmails: ['grace@example.com'], failedUpdates: none },
      ['?', '?', 'w'],
    ],
    [
      'no-ops beside a failure, neither counted with the other',
      {
        successCount: 1,
        failCount: 1,
        noOpUserIds: ['003Kd00000AbCdEIAV'],
        failedUpdates: { invalidEmails: ['not-an-email'] },
      },
      ['w', 'invalid_email', 'w'],
    ],
    [
      'a no-op that failed all the same',
      {
        successCount: 2,
        failCount: 1,
        noOpEmails: ['grace@example.com'],
        failedUpdates: { forgottenEmails: ['grace@example.com'] },
      },
      ['w', 'w', 'forgotten'],
    ],
    [
      'all no-ops, none counted',
      {
        successCount: 0,
        failCount: 0,
        noOpEmails: ['grace@example.com'],
        noOpUserIds: ['003Kd00000AbCdEIAV', '00QKd00000LmNoPIAV'],
      },
      ['w', 'w', 'w'],
    ],
    ['more successes than users', { successCount: 4, failCount: 0 }, ['w', 'w', 'w']],
    ['all written and all failed', { successCount: 3, failCount: 3, failedUpdates: none }, ['?', '?', '?']],
    ['more failures than users', { successCount: 0, failCount: 9, failedUpdates: none }, ['?', '?', '?']],
    ['only failures counted', { failCount: 1, failedUpdates: none }, ['?', '?', '?']],
    ['only successes counted', { successCount: 3 }, ['w', 'w', 'w']],
    ['only successes counted, too few', { successCount: 2, failedUpdates: none }, ['?', '?', '?']],
    [
      'counts that are none',
      { successCount: -1, failCount: 1.5, failedUpdates: { invalidEmails: ['not-an-email'] } },
      ['w', 'invalid_email', 'w'],
    ],
    ['counts of other kinds', { successCount: true, failCount: [1], failedUpdates: none }, ['w', 'w', 'w']],
    [
      'lists that are none',
      { successCount: 3, failCount: 0, failedUpdates: { invalidEmails: 'x', forgottenUserIds: 7, notFoundEmails: {} } },
      ['w', 'w', 'w'],
    ],
    [
      'lists of other things',
      { successCount: 3, failCount: 0, failedUpdates: { invalidEmails: [null, 7, [], {}, { email: 7 }] } },
      ['w', 'w', 'w'],
    ],
    [
      'spaces about an email',
      { successCount: 2, failCount: 1, failedUpdates: { invalidEmails: [' Not-an-email '] } },
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

  it.each<[string, object, string]>([
    ['counted as failed', { successCount: 0, failCount: 1 }, 'unknown_failure'],
    ['not counted', { successCount: 0, failCount: 0 }, 'unaccounted'],
    ['counted twice', { successCount: 1, failCount: 1 }, 'unknown_failure'],
    ['counted as half', { successCount: 0.5, failCount: 0 }, 'w'],
    ['in an unknown list, not counted', { failedUpdates: none, droppedUserIds: ['003Kd00000AbCdEIAV'] }, 'unaccounted'],
    ['unchanged, counted as failed', { successCount: 0, failCount: 1, noOpEmails: ['ada.byron@example.com'] }, 'w'],
    ['written', { successCount: 1, failCount: 0, failedUpdates: none }, 'w'],
  ])('is clear about one user alone: %s', (_, body, expected) => {
    const verdict = classifyBulkAnswer([ada], answer(200, body));
    expect(verdict.kind === 'answered' && short(verdict.users)).toEqual([expected]);
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
    ['an error in place of an answer', { msg: 'x', code: 'GenericError', params: null }],
    ['null', 'null'],
    ['text', '"done"'],
    ['nothing in it', {}],
    ['HTML', HTML],
    ['nothing', ''],
    ['a body cut short', '{"successCount":'],
    ['another endpoint’s success', { msg: '', code: 'Success', params: null }],
    ['a list', []],
  ])('is to be repeated when its body is %s: what was applied is unknown', (_, body) => {
    expect(classifyBulkAnswer(sent, answer(200, body))).toEqual({ kind: 'retry', code: 'iterable.unreadable_answer' });
  });
});
