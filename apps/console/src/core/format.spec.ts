import { expect, it } from 'vitest';
import type { Job } from './answers.js';
import { formatCount, formatDuration, jobTitle, plural } from './format.js';

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

it.each<[Partial<Job>, string]>([
  [{}, 'backfill j1'],
  [{ idCount: 1 }, '1 record id'],
  [{ object: 'Lead' }, 'Lead'],
  [{ object: 'Lead', where: "Status = 'New'" }, "Lead where Status = 'New'"],
  [
    { object: 'Lead', since: '2026-11-24T12:00:00Z', catchUp: 'overflow' },
    'Lead since 2026-11-24T12:00:00Z (catch-up: overflow)',
  ],
  [{ object: 'Contact', fanOut: { from: 'Account', records: 1 } }, 'Contact (fan-out of 1 Account record)'],
  [{ object: 'Lead', fanOut: { from: 'User', records: 1_200 } }, 'Lead (fan-out of 1,200 User records)'],
  [{ redrive: {} }, 'redrive'],
  [{ redrive: { codes: ['a.b', 'c.d'] } }, 'redrive a.b, c.d'],
  [{ redrive: { objects: ['Lead'], from: '2026-11-24T12:00:00Z' } }, 'redrive of Lead since 2026-11-24T12:00:00Z'],
  [{ redrive: { codes: ['a.b'], idCount: 2, to: 'T' } }, 'redrive a.b of 2 record ids until T'],
])('names a job %j', (asked, title) => {
  expect(jobTitle({ id: 'j1', state: 'sent', updatedAt: 0, ratePerSecond: null, etaMs: null, ...asked })).toBe(title);
});
