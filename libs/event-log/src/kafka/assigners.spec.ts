import { AssignerProtocol, type GroupMember } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { makeAssigner, type Memory } from './assigners.js';
import type { InternalCluster } from './internals.js';

const counts: Readonly<Record<string, number>> = { t: 4, u: 1 };
const cluster = {
  addMultipleTargetTopics: () => Promise.resolve(),
  findTopicPartitionMetadata: (topic: string) =>
    Array.from({ length: counts[topic] ?? 0 }, (_, partitionId) => ({ partitionId })),
} as unknown as InternalCluster;

/** A member as it comes over the wire: through its own assigner's `protocol`. */
function member(memberId: string, topics: string[], memory: Memory | null = null): GroupMember {
  const { metadata } = makeAssigner('shared', cluster, () => memory).protocol({ topics });
  return { memberId, memberMetadata: metadata };
}

async function assigned(mode: 'shared' | 'single-owner', members: GroupMember[]) {
  const answer = await makeAssigner(mode, cluster, () => null).assign({ members, topics: [] });
  return Object.fromEntries(
    answer.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? null,
    ]),
  );
}

describe('makeAssigner', () => {
  it('shares evenly, keeping what members remember', async () => {
    const members = [
      member('b', ['t'], { generation: 3, owned: [{ topic: 't', partitions: [0, 1, 2, 3] }] }),
      member('a', ['t']),
    ];
    expect(await assigned('shared', members)).toEqual({ a: { t: [2, 3] }, b: { t: [0, 1] } });
  });

  it('leaves everything with the present owner, and gives the standby an empty assignment', async () => {
    const members = [
      member('a', ['t', 'u']),
      member('b', ['t', 'u'], { generation: 3, owned: [{ topic: 'u', partitions: [0] }] }),
    ];
    expect(await assigned('single-owner', members)).toEqual({ a: {}, b: { t: [0, 1, 2, 3], u: [0] } });
  });

  it('does not believe a member that was out: only the newest generation counts', async () => {
    const all = [{ topic: 't', partitions: [0, 1, 2, 3] }];
    const members = [
      member('a', ['t'], { generation: 3, owned: all }),
      member('b', ['t'], { generation: 4, owned: [{ topic: 't', partitions: [0] }] }),
    ];
    expect(await assigned('single-owner', members)).toEqual({ a: {}, b: { t: [0, 1, 2, 3] } });
  });

  it('respects what each member reads', async () => {
    expect(await assigned('shared', [member('a', ['t']), member('b', ['t', 'u'])])).toEqual({
      a: { t: [0, 1] },
      b: { t: [2, 3], u: [0] },
    });
  });

  it('takes a memory that it cannot read for none', async () => {
    const metadata = AssignerProtocol.MemberMetadata.encode({ version: 1, topics: ['u'], userData: Buffer.from('{') });
    expect(await assigned('single-owner', [{ memberId: 'a', memberMetadata: metadata }])).toEqual({ a: { u: [0] } });
  });
});
