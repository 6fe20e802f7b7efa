import { toRecordId } from '@libs/contracts';
import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordIdOf } from './ids.js';

describe('recordIdOf', () => {
  it.each([
    ['00Q', 1, '00Q5g0000500001'],
    ['003', 62, '0035g0000500010'],
  ])('%s, number %i', (prefix, n, begin) => {
    expect(recordIdOf(prefix, n).slice(0, 15)).toBe(begin);
  });

  it('gives valid, distinct ids whose text order is the order of creation', () => {
    const n = integer({ min: 1, max: 5_000_000 });
    assert(
      property(n, n, (a, b) => {
        const [x, y] = [recordIdOf('00Q', a), recordIdOf('00Q', b)];
        expect(toRecordId(x)).toBe(x);
        expect(toRecordId(x.slice(0, 15))).toBe(x);
        expect(Math.sign(a - b)).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
  });
});
