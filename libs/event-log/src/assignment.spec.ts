import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignEvenly, assignSingleOwner, partitionName, type Candidate, type Owners } from './assignment.js';

const member = (id: string, topics: string[], owned: string[] = []): Candidate => ({
  id,
  topics,
  owned: new Set(owned),
});
const held = (owners: Owners, id: string) =>
  [...owners]
    .filter(([, owner]) => owner === id)
    .map(([name]) => name)
    .sort();
const ofTopic = (names: readonly string[], topic: string) => names.filter((name) => name.startsWith(`${topic}:`));

describe('assignSingleOwner', () => {
  const counts = new Map([
    ['t', 3],
    ['u', 1],
  ]);

  it('gives one member everything', () => {
    const owners = assignSingleOwner([member('b', ['t', 'u']), member('a', ['t', 'u'])], counts);
    expect(held(owners, 'a')).toEqual(['t:0', 't:1', 't:2', 'u:0']);
  });

  it('leaves it with the present owner when another joins', () => {
    const owners = assignSingleOwner([member('a', ['t', 'u']), member('b', ['t', 'u'], ['t:0'])], counts);
    expect(held(owners, 'b')).toHaveLength(4);
  });

  it('gives a topic that the owner does not read to another', () => {
    const owners = assignSingleOwner([member('a', ['t'], ['t:0']), member('b', ['t', 'u'])], counts);
    expect([held(owners, 'a'), held(owners, 'b')]).toEqual([['t:0', 't:1', 't:2'], ['u:0']]);
  });

  it('leaves out a topic that nobody reads', () => {
    expect([...assignSingleOwner([member('a', ['t'])], counts).keys()]).toEqual(['t:0', 't:1', 't:2']);
  });
});

describe('assignEvenly', () => {
  it('moves only what evenness asks for when a member joins', () => {
    const owners = assignEvenly(
      [member('a', ['t'], ['t:0', 't:1', 't:2', 't:3']), member('b', ['t'])],
      new Map([['t', 4]]),
    );
    expect([held(owners, 'a'), held(owners, 'b')]).toEqual([
      ['t:0', 't:1'],
      ['t:2', 't:3'],
    ]);
  });

  it('spreads the odd partitions of several topics', () => {
    const topics = ['t', 'u'];
    const owners = assignEvenly(
      [member('a', topics), member('b', topics)],
      new Map([
        ['t', 1],
        ['u', 1],
      ]),
    );
    expect([held(owners, 'a').length, held(owners, 'b').length]).toEqual([1, 1]);
  });

  it('is complete, even, respects each topic list, and is stable under its own answer', () => {
    const scene = fc.record({
      topics: fc.array(fc.record({ name: fc.constantFrom('t', 'u', 'v'), count: fc.integer({ min: 1, max: 12 }) }), {
        minLength: 1,
      }),
      members: fc.array(fc.subarray(['t', 'u', 'v'], { minLength: 1 }), { minLength: 1, maxLength: 6 }),
      owned: fc.array(fc.tuple(fc.nat(5), fc.constantFrom('t', 'u', 'v'), fc.nat(11))),
    });
    fc.assert(
      fc.property(scene, ({ topics, members, owned }) => {
        const counts = new Map(topics.map(({ name, count }) => [name, count]));
        const seen = new Set<string>();
        const candidates = members.map((list, index) =>
          member(
            `m${index}`,
            list,
            owned
              .filter(([at, topic, partition]) => at === index && !seen.has(partitionName(topic, partition)))
              .map(([, topic, partition]) => partitionName(topic, partition))
              .filter((name) => !seen.has(name) && seen.add(name)),
          ),
        );
        const owners = assignEvenly(candidates, counts);
        for (const [topic, count] of counts) {
          const readers = candidates.filter((candidate) => candidate.topics.includes(topic));
          const shares = readers.map(({ id }) => ofTopic(held(owners, id), topic).length);
          if (readers.length === 0) continue;
          expect(shares.reduce((sum, share) => sum + share, 0)).toBe(count);
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        }
        const settled = candidates.map(({ id, topics: list }) => member(id, [...list], held(owners, id)));
        expect(assignEvenly(settled.toReversed(), counts)).toEqual(owners);
      }),
    );
  });
});
