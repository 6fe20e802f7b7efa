import { describe, expect, it } from 'vitest';
import { PassingClaim } from './passing-claim.js';

function scene() {
  const commits: Array<[number, string | undefined]> = [];
  const gate = { open: Promise.resolve(), fails: 0 };
  const claim = new PassingClaim({
    topic: 't',
    partition: 0,
    signal: new AbortController().signal,
    heartbeatAgeMs: () => 0,
    commit: async (nextOffset, metadata) => {
      await gate.open;
      if (gate.fails > 0) {
        gate.fails -= 1;
        throw new Error('the log is away');
      }
      commits.push([nextOffset, metadata]);
    },
  });
  return { commits, claim, gate };
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

  it('is none the wiser for a commit that failed: it can be tried again', async () => {
    const { claim, commits, gate } = scene();
    gate.fails = 1;
    await expect(claim.pass(0, 2)).rejects.toThrow('away');
    await claim.pass(0, 2);
    expect(commits).toEqual([[2, undefined]]);
  });

  it('carries a commit over a run that was passed while it was under way', async () => {
    const { claim, commits, gate } = scene();
    let open = () => {};
    gate.open = new Promise((resolve) => (open = resolve));
    claim.gave(0);
    const committing = claim.commit(3);
    await claim.pass(3, 5);
    open();
    await committing;
    expect(commits).toEqual([
      [3, undefined],
      [5, undefined],
    ]);
  });
});
