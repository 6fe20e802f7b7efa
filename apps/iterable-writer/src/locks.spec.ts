import { describe, expect, it } from 'vitest';
import { Locks } from './locks.js';

const owned = (...keys: string[]) => ({ owned: keys, shared: [] });
const looking = (record: string, ...keys: string[]) => ({ owned: [record], shared: keys });

describe('Locks', () => {
  it('have one owner', () => {
    const locks = new Locks();
    locks.take(owned('a', 'b'));
    expect([locks.free(owned('b', 'c')), locks.free(owned('c')), locks.free(looking('x', 'a'))]).toEqual([
      false,
      true,
      false,
    ]);
    locks.give(owned('a', 'b'));
    expect(locks.free(owned('a', 'b'))).toBe(true);
  });

  it('are looked at by many, and owned when the last has gone', () => {
    const locks = new Locks();
    locks.take(looking('one', 'a'));
    expect([locks.free(looking('two', 'a')), locks.free(owned('a')), locks.free(owned('one'))]).toEqual([
      true,
      false,
      false,
    ]);
    locks.take(looking('two', 'a', 'a'));
    locks.give(looking('one', 'a'));
    expect(locks.free(owned('a'))).toBe(false);
    locks.give(looking('two', 'a', 'a'));
    expect(locks.free(owned('a', 'one', 'two'))).toBe(true);
  });
});
