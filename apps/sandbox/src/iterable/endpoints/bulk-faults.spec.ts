import { describe, expect, it } from 'vitest';
import { failureLists } from '../project/identity.js';
import { injectedFailure } from './bulk-faults.js';

const USERS = 50_000;

/** How many of the users a share picks, by the list that each is under. */
function picked(share: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < USERS; n += 1) {
    const ids = { email: `user.${n}@example.com`, userId: `id-${n}` };
    const failure = injectedFailure(ids, { list: 'every', share, sticky: true }, () => 1);
    if (failure !== null) counts[failure.list] = (counts[failure.list] ?? 0) + 1;
  }
  return counts;
}

describe('partial failures under every list', () => {
  it.each([0.03, 0.3, 1])('spread a share of %d evenly', (share) => {
    const counts = picked(share);
    expect(Object.keys(counts).toSorted()).toEqual([...failureLists].toSorted());
    const each = (USERS * share) / failureLists.length;
    for (const count of Object.values(counts)) {
      expect(count).toBeGreaterThan(each * 0.7);
      expect(count).toBeLessThan(each * 1.3);
    }
  });
});
