import { describe, expect, it } from 'vitest';
import { answer, short } from './bulk-answers.cases.js';
import { classifyBulkAnswer } from './classify.js';
import { packUser } from './pack.js';

describe('what a list names', () => {
  it('takes an address for an address where another user has it for an id', () => {
    const users = [
      packUser({ userId: 'a@example.com', dataFields: {} }),
      packUser({ email: 'a@example.com', dataFields: {} }),
    ];
    const listed = (list: string) => {
      const body = { successCount: 1, failCount: 1, failedUpdates: { [list]: ['a@example.com'] } };
      const verdict = classifyBulkAnswer(users, answer(200, body));
      return verdict.kind === 'answered' && short(verdict.users);
    };
    expect(listed('forgottenEmails')).toEqual(['w', 'forgotten']);
    expect(listed('forgottenUserIds')).toEqual(['forgotten', 'w']);
    // Said of one of them: which, a list of the future does not tell.
    expect(listed('quarantined')).toEqual(['unknown_failure', 'unknown_failure']);
  });

  it('finds letters of every script in another case, and never takes what it does not find for written', () => {
    const users = [
      packUser({ email: 'MÜLLER@Bücher.example', dataFields: {} }),
      packUser({ email: 'ΩΜΕΓΑ@example.com', dataFields: {} }),
    ];
    const listed = (value: string) => {
      const body = { successCount: 1, failCount: 1, failedUpdates: { invalidEmails: [value] } };
      const verdict = classifyBulkAnswer(users, answer(200, body));
      return verdict.kind === 'answered' && short(verdict.users);
    };
    expect(listed('müller@bücher.example')).toEqual(['invalid_email', 'w']);
    expect(listed('ωμεγα@EXAMPLE.com')).toEqual(['w', 'invalid_email']);
    expect(listed('müller@xn--bcher-kva.example')).toEqual(['?', '?']);
  });
});
