/** A member of a group, as an assigner sees it. */
export interface Candidate {
  readonly id: string;
  readonly topics: readonly string[];
  /** What it holds now, as {@link partitionName}s. */
  readonly owned: ReadonlySet<string>;
}

/** `topic:partition`. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}:${partition}`;
}

/** Owner of each partition, by {@link partitionName}. A partition whose topic no member reads is left out. */
export type Owners = Map<string, string>;

type Counts = ReadonlyMap<string, number>;

const inOrder = (candidates: readonly Candidate[]) => candidates.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/**
 * Everything to one member: the one that holds most now, else the first by id; the others stand by. A topic that it
 * does not read goes to the best of the rest. Deterministic, whatever the order of the candidates.
 */
export function assignSingleOwner(candidates: readonly Candidate[], counts: Counts): Owners {
  const best = inOrder(candidates).toSorted((a, b) => b.owned.size - a.owned.size);
  const owners: Owners = new Map();
  for (const [topic, count] of counts) {
    const owner = best.find((candidate) => candidate.topics.includes(topic));
    if (owner === undefined) continue;
    for (let partition = 0; partition < count; partition += 1) owners.set(partitionName(topic, partition), owner.id);
  }
  return owners;
}

/**
 * Evenly, topic by topic, among the members that read the topic: their counts differ by at most one. Sticky: a member
 * keeps what it holds as far as evenness allows. What is left over goes to those with the least in total.
 * Deterministic, whatever the order of the candidates.
 */
export function assignEvenly(candidates: readonly Candidate[], counts: Counts): Owners {
  const owners: Owners = new Map();
  const load = new Map<string, number>(candidates.map(({ id }) => [id, 0]));
  const give = (name: string, id: string) => {
    owners.set(name, id);
    load.set(id, (load.get(id) ?? 0) + 1);
  };
  for (const topic of [...counts.keys()].sort()) {
    const count = counts.get(topic) ?? 0;
    const readers = inOrder(candidates).filter((candidate) => candidate.topics.includes(topic));
    if (readers.length === 0) continue;
    const names = Array.from({ length: count }, (_, partition) => partitionName(topic, partition));
    const held = new Map(readers.map(({ id, owned }) => [id, names.filter((name) => owned.has(name))]));
    const share = Math.floor(count / readers.length);
    // Who may have one more: those that hold more already, then those with the least in total.
    const extra = new Set(
      readers
        .toSorted(
          (a, b) =>
            Number((held.get(b.id)?.length ?? 0) > share) - Number((held.get(a.id)?.length ?? 0) > share) ||
            (load.get(a.id) ?? 0) - (load.get(b.id) ?? 0),
        )
        .slice(0, count % readers.length)
        .map(({ id }) => id),
    );
    const room = new Map(readers.map(({ id }) => [id, share + (extra.has(id) ? 1 : 0)]));
    const place = (name: string, id: string) => {
      if (owners.has(name) || (room.get(id) ?? 0) === 0) return;
      room.set(id, (room.get(id) ?? 0) - 1);
      give(name, id);
    };
    for (const { id } of readers) for (const name of held.get(id) ?? []) place(name, id);
    for (const name of names) for (const { id } of readers) place(name, id);
  }
  return owners;
}
