import { describe, expect, it } from 'vitest';
import { PassingClaim } from './passing-claim.js';

function scene() {
  const commits: Array<[number, string | undefined]> = [];
  const claim = new PassingClaim({
    topic: 't',
    partition: 0,
    signal: new AbortController().signal,
    heartbeatAgeMs: () => 0,
    commit: (nextOffset, metadata) => {
      commits.push([nextOffset, metadata]);
      return Promise.resolve();
    },
  });
  return { commits, claim };
}

describe('PassingClaim', () => {
  it('commits a passed run at once when the handler has nothing', async () => {
    const { claim, commits } = scene();
    await claim.pass(5, 8);
    expect(commits).toEqual([[8, undefined]]);
  });

  it('waits for the handler, then carries its commit over all runs that follow', async () => {
    const { claim, commits } = scene();
    claim.gave(0);
    await claim.pass(3, 5);
    await claim.pass(5, 6);
    expect(commits).toEqual([]);
    await claim.commit(2, 'a');
    await claim.commit(3, 'b');
    expect(commits).toEqual([
      [2, 'a'],
      [6, 'b'],
    ]);
  });

  it('commits a run at once where the handler has committed everything, keeping its metadata', async () => {
    const { claim, commits } = scene();
    claim.gave(0);
    await claim.commit(3, 'm');
    await claim.pass(3, 4);
    claim.gave(4);
    await claim.pass(6, 7);
    expect(commits).toEqual([
      [3, 'm'],
      [4, 'm'],
    ]);
  });
});
