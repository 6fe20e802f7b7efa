import { expect, it } from 'vitest';
import { formatCount, formatDuration, plural } from './format.js';

it.each([
  [-1, '0 s'],
  [999, '0 s'],
  [4_400, '4 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [7_200_000, '2 h'],
  [5 * 86_400_000, '5 d'],
])('%d ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it('writes counts', () => {
  expect(formatCount(12_300)).toBe('12,300');
  expect([plural(0, 'change'), plural(1, 'change'), plural(1_200, 'change')]).toEqual([
    '0 changes',
    '1 change',
    '1,200 changes',
  ]);
});
