import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectUsers } from './select-users.js';

describe('selectUsers', () => {
  it('takes everyone without a locked key, in order, and nobody else', () => {
    const aUser = fc.record({ keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(aUser), fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e')), (waiting, locks) => {
        const locked = new Set(locks);
        const selected = selectUsers(waiting, locked);
        expect(selected).toEqual(waiting.filter((user) => user.keys.every((key) => !locks.includes(key))));
      }),
    );
  });
});
