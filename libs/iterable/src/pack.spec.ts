import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeRequest,
  isTooLarge,
  packRequest,
  packUser,
  profileKeys,
  type BulkUser,
  type PackedUser,
} from './pack.js';

const aUser = fc.record(
  {
    email: fc.constantFrom('a@x.io', 'A@x.io', 'b@x.io', 'c@x.io'),
    userId: fc.constantFrom('1', '2', '3'),
    dataFields: fc.dictionary(
      fc.constantFrom('email', 'text', 'n'),
      fc.oneof(fc.string({ unit: 'binary' }), fc.integer()),
    ),
  },
  { requiredKeys: ['dataFields'] },
);

describe('packUser', () => {
  it('counts bytes of UTF-8, and knows every identifier an answer may use', () => {
    const user = packUser({
      email: 'Ada@Example.com ',
      userId: '003X',
      dataFields: { email: 'ADA@example.com', note: 'größer ✓' },
    });
    expect(user.bytes).toBe(Buffer.byteLength(user.json));
    expect(user.bytes).toBeGreaterThan(user.json.length);
    expect([user.emails, user.userIds]).toEqual([['ada@example.com'], ['003X']]);
  });
});

describe('packRequest', () => {
  it('loses nothing, keeps order and limits, and holds no profile twice', () => {
    fc.assert(
      fc.property(
        fc.array(aUser, { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 60, max: 800 }),
        (raw, maxUsers, maxBytes) => {
          const users = raw.map((user) => packUser(user as BulkUser));
          const { request, rest, tooLarge } = packRequest(users, { maxUsers, maxBytes });
          const place = new Map(users.map((user, at) => [user, at] as const));
          const places = (list: readonly PackedUser[]) => list.map((user) => place.get(user) as number);
          for (const list of [request, rest, tooLarge])
            expect(places(list)).toEqual(places(list).toSorted((a, b) => a - b));
          expect([...request, ...rest, ...tooLarge]).toHaveLength(users.length);
          expect(new Set([...request, ...rest, ...tooLarge]).size).toBe(users.length);

          expect(request.length).toBeLessThanOrEqual(maxUsers);
          const sent = request.map((user) => JSON.parse(user.json) as unknown);
          for (const options of [{}, { createNewFields: true }, { createNewFields: false }]) {
            const body = encodeRequest(request, options);
            if (request.length > 0) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(maxBytes);
            expect(JSON.parse(body)).toEqual({ ...options, users: sent });
          }
          const keys = request.flatMap(profileKeys);
          expect(new Set(keys).size).toBe(keys.length);

          expect(tooLarge).toEqual(users.filter((user) => isTooLarge(user, { maxBytes })));
          // Something is sent whenever something can be.
          if (tooLarge.length < users.length) expect(request.length).toBeGreaterThan(0);
          // Entries of one profile never overtake each other.
          for (const taken of request) {
            const shared = rest.filter((user) => profileKeys(user).some((key) => profileKeys(taken).includes(key)));
            for (const waiting of shared) expect(place.get(waiting)).toBeGreaterThan(place.get(taken) as number);
          }
        },
      ),
    );
  });

  it('fills up to the byte', () => {
    const users = ['a', 'b'].map((name) => packUser({ email: `${name}@x.io`, dataFields: {} }));
    const exact = Buffer.byteLength(encodeRequest(users, { createNewFields: false }));
    expect(packRequest(users, { maxUsers: 9, maxBytes: exact }).request).toHaveLength(2);
    expect(packRequest(users, { maxUsers: 9, maxBytes: exact - 1 }).request).toHaveLength(1);
    const [one] = users;
    const alone = Buffer.byteLength(encodeRequest(users.slice(0, 1), { createNewFields: false }));
    expect(one && [isTooLarge(one, { maxBytes: alone }), isTooLarge(one, { maxBytes: alone - 1 })]).toEqual([
      false,
      true,
    ]);
  });
});
