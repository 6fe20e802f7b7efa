import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answer, none } from './bulk-answers.cases.js';
import { classifyBulkAnswer, type UserVerdict } from './classify.js';
import { normalEmail, packUser, type PackedUser } from './pack.js';

const names = ['a', 'b', 'c', 'd', 'e'];
const lists = [...Object.keys(none), 'quarantinedEmails', 'quarantinedUserIds', 'held'];
const aUser = fc.record(
  {
    email: fc.constantFrom(...names.map((name) => `${name}@Example.com`)),
    userId: fc.constantFrom(...names),
    dataFields: fc.record(
      { email: fc.constantFrom(...names.map((name) => `${name}@example.com`)) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['dataFields'] },
);
const aName = fc.constantFrom(...names, ...names.map((name) => `${name}@EXAMPLE.com`), 'stranger');
const aList = fc.array(
  fc.oneof(
    aName,
    aName.map((email) => ({ email })),
    fc.constant(null),
  ),
  { maxLength: 4 },
);
const someLists = fc.dictionary(fc.constantFrom(...lists), aList, { maxKeys: 6 });
const aCount = fc.option(fc.oneof(fc.integer({ min: -1, max: 7 }), fc.integer({ min: 0, max: 6 }).map(String)), {
  nil: undefined,
});
const aBody = fc
  .record({
    successCount: aCount,
    failCount: aCount,
    failedUpdates: fc.option(someLists, { nil: undefined }),
    top: someLists,
    noOpEmails: aList,
    noOpUserIds: aList,
  })
  .map(({ top, ...body }) => ({ ...top, ...body }));

describe('a 200, whatever it says', () => {
  it('gives every user one verdict, never "written" to one that a list of failures names, and never doubt to one alone', () => {
    fc.assert(
      fc.property(fc.array(aUser, { minLength: 1, maxLength: 6 }), aBody, (raw, body) => {
        const users = raw.map((user) => packUser(user));
        const verdicts = verdictsOf(users, body);
        expect(verdicts).toHaveLength(users.length);
        const named = new Set(
          valuesIn([body.failedUpdates, ...Object.keys(none).map((list) => (body as Record<string, unknown>)[list])]),
        );
        verdicts.forEach((verdict, row) => {
          const { emails = [], userIds = [] } = users[row] ?? {};
          // An id that is another's address may be meant of either: only what cannot be mistaken counts here.
          const isNamed = [...emails, ...userIds].some((identifier) => named.has(identifier));
          if (isNamed) expect(verdict.kind).toBe('dead');
        });
        if (users.length === 1) expect(verdicts[0]?.kind).not.toBe('unclear');
      }),
    );
  });

  it('says the same in any order of its members, of its lists, and of the users', () => {
    const order = fc.array(fc.nat(), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(aUser, { minLength: 1, maxLength: 6 }), aBody, order, (raw, body, keys) => {
        const users = raw.map((user) => packUser(user));
        const verdicts = verdictsOf(users, body);
        expect(verdictsOf(users, shuffled(body, keys) as object)).toEqual(verdicts);
        const places = users.map((_, row) => row).toSorted((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
        const moved = verdictsOf(
          places.map((row) => users[row] as PackedUser),
          body,
        );
        expect(moved).toEqual(places.map((row) => verdicts[row]));
      }),
    );
  });
});

function verdictsOf(users: readonly PackedUser[], body: object): readonly UserVerdict[] {
  const verdict = classifyBulkAnswer(users, answer(200, body));
  if (verdict.kind !== 'answered') throw new Error(`not answered: ${verdict.kind}`);
  return verdict.users;
}

/** Every identifier in a value, addresses in lower case. */
function valuesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value.includes('@') ? normalEmail(value) : value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(valuesIn) : [];
}

/** The same JSON with its members and elements in another order. */
function shuffled(value: unknown, keys: readonly number[]): unknown {
  const by = <T>(items: readonly T[]) =>
    items
      .map((item, at) => [keys[at % keys.length] ?? 0, item] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, item]) => item);
  if (Array.isArray(value)) return by(value.map((item: unknown) => shuffled(item, keys)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(by(Object.entries(value)).map(([name, inner]) => [name, shuffled(inner, keys)]));
}
