import { AssignerProtocol, type Assigner } from 'kafkajs';
import { assignEvenly, assignSingleOwner, partitionName, type Candidate } from '../assignment.js';
import type { Assignment } from '../port.js';
import type { InternalCluster, TopicPartitions } from './internals.js';

/** Of our encoding of a member's memory. */
const VERSION = 1;

/** What a member remembers of the last generation it was in: what makes an assignment sticky. */
export interface Memory {
  readonly generation: number;
  readonly owned: readonly TopicPartitions[];
}

interface Member {
  readonly id: string;
  readonly topics: readonly string[];
  readonly memory: Memory | null;
}

/** Total: what another version wrote is no memory. */
function readMemory(userData: Buffer): Memory | null {
  try {
    return JSON.parse(userData.toString()) as Memory;
  } catch {
    return null;
  }
}

/** Who was out longest remembers wrongly: only the newest generation counts. */
function toCandidates(members: readonly Member[]): Candidate[] {
  const newest = Math.max(-1, ...members.map(({ memory }) => memory?.generation ?? -1));
  return members.map(({ id, topics, memory }) => ({
    id,
    topics,
    owned: new Set(
      memory === null || memory.generation < newest
        ? []
        : memory.owned.flatMap(({ topic, partitions }) => partitions.map((one) => partitionName(topic, one))),
    ),
  }));
}

const assign = { shared: assignEvenly, 'single-owner': assignSingleOwner } as const;

/**
 * An assigner in kafkajs's form. All members of a group use the same, or the broker refuses them.
 * `remember` gives what this member holds, at the time it joins.
 */
export function makeAssigner(mode: Assignment, cluster: InternalCluster, remember: () => Memory | null): Assigner {
  const name = `sync-${mode}`;
  return {
    name,
    version: VERSION,
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: VERSION,
        topics,
        userData: Buffer.from(JSON.stringify(remember())),
      }),
    }),
    async assign({ members }) {
      const known = members.map(({ memberId, memberMetadata }) => {
        const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata);
        return {
          id: memberId,
          topics: metadata?.topics ?? [],
          memory: readMemory(metadata?.userData ?? Buffer.alloc(0)),
        };
      });
      const topics = [...new Set(known.flatMap((member) => member.topics))].sort();
      await cluster.addMultipleTargetTopics(topics);
      const counts = new Map(topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length]));
      const owners = assign[mode](toCandidates(known), counts);
      return known.map(({ id }) => {
        const assignment: Record<string, number[]> = {};
        for (const topic of topics) {
          const mine = Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => partition).filter(
            (partition) => owners.get(partitionName(topic, partition)) === id,
          );
          if (mine.length > 0) assignment[topic] = mine;
        }
        return {
          memberId: id,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: VERSION,
            assignment,
            userData: Buffer.alloc(0),
          }),
        };
      });
    },
  };
}
