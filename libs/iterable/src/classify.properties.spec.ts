import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { answer, sent } from './bulk-answers.cases.js';
import { classifyBulkAnswer } from './classify.js';
import { deadReasons, refusedReasons } from './codes.js';

const codes = [
  'Success',
  'BadJsonBody',
  'BadParams',
  'BatchTooLarge',
  'RequestFieldsTypesMismatched',
  'InvalidEmailAddressError',
  'ForgottenUserError',
  'RateLimitExceeded',
  'BadApiKey',
  'error.users.noUserWithIdExists',
  'toString',
];
const aName = fc.constantFrom(
  'Company.size',
  'when',
  'Orders.total',
  'obj.users[1].email',
  'obj.users[99]',
  '__proto__',
);
const anError = fc.oneof(
  fc.jsonValue(),
  fc.record({ expectedType: fc.jsonValue(), offendingValue: fc.oneof(fc.jsonValue(), fc.constantFrom('7', 7, 'x')) }),
);
const someParams = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(aName, fc.jsonValue()),
  fc.record({ validationErrors: fc.oneof(fc.jsonValue(), fc.dictionary(aName, anError)) }),
);
const aBody = fc.oneof(
  fc.string(),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc
    .record({ code: fc.oneof(fc.constantFrom(...codes), fc.jsonValue()), msg: fc.jsonValue(), params: someParams })
    .map((body) => JSON.stringify(body)),
);
const aStatus = fc.oneof(fc.constantFrom(200, 400, 404, 409, 413, 422, 429, 500), fc.integer({ min: 100, max: 599 }));

it('reads whatever comes, and points at none but users that were sent', () => {
  fc.assert(
    fc.property(aStatus, aBody, fc.integer({ min: 1, max: sent.length }), (status, text, count) => {
      const users = sent.slice(0, count);
      const verdict = classifyBulkAnswer(users, answer(status, text));
      if (verdict.kind === 'answered') expect(verdict.users).toHaveLength(count);
      if (verdict.kind === 'refused') expect(refusedReasons).toHaveProperty([verdict.code]);
      if (verdict.kind === 'split') expect(deadReasons).toHaveProperty([verdict.code]);
      if (verdict.kind === 'split' && verdict.cause === 'bad_user') {
        expect(verdict.suspects).toEqual([...new Set(verdict.suspects)].toSorted((a, b) => a - b));
        expect(verdict.suspects.every((row) => row >= 0 && row < count)).toBe(true);
      }
      // Only a 2xx says that anybody was written, and only another status that nobody was.
      const isGood = status >= 200 && status < 300;
      expect(isGood ? ['answered', 'retry'] : ['retry', 'refused', 'split']).toContain(verdict.kind);
      // Invariant 7: a failure of the world is never laid to a user.
      if (status >= 500 || status === 429) expect(verdict.kind).toBe('retry');
    }),
  );
});
