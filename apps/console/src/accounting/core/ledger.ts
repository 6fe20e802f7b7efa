import { outcomeKinds, type Lane, type OutcomeKind } from '@libs/contracts';
import { ChangeBook, type Coverage } from './change-book.js';
import { aheadOf, placeOf, type LanePositions } from './place.js';

/** Most pairs of object and lane that are told apart; what is past it is counted under {@link OTHER}. Keeps labels bounded whatever arrives. */
export const MAX_CLASSES = 500;
const OTHER = 'other';
/** What the changes are counted under whose message cannot be read. */
const UNREADABLE = { object: 'unknown', lane: 'realtime' } as const;
/** Most changes that are named of a gap. */
export const MAX_GAPS = 100;

interface ChangeClass {
  readonly object: string;
  readonly lane: Lane;
  in: number;
  /** By kind, as in `outcomeKinds`. */
  readonly ended: number[];
}

/** How far the stages have come: what of each topic is done. All from before the ends of the topics that were read. */
export interface Positions {
  /** The batcher's, by partition of `salesforce.changes.v1`. */
  readonly changes: ReadonlyMap<number, number>;
  /** The mapper's. */
  readonly batches: LanePositions;
  /** The writer's. */
  readonly updates: LanePositions;
}

/** What became of the changes of one object and lane: `in` is the sum of all the others. */
export interface AccountRow {
  readonly object: string;
  readonly lane: Lane;
  readonly in: number;
  readonly ended: Readonly<Record<OutcomeKind, number>>;
  readonly inFlight: number;
  readonly gap: number;
}

/** A change without an outcome that is nowhere on its way. */
export interface Gap {
  readonly partition: number;
  readonly offset: number;
  readonly object: string;
  readonly lane: Lane;
}

export interface Account {
  /** By object and lane, sorted. */
  readonly rows: readonly AccountRow[];
  readonly gap: number;
  /** The first {@link MAX_GAPS}, by partition and offset. */
  readonly gaps: readonly Gap[];
}

/**
 * Invariant 4, kept as a book: each change of `salesforce.changes.v1`, named by its partition and offset, is accounted for by the first
 * outcome that names it, else in flight, else lost.
 *
 * What is in flight is found out, not subtracted. By Invariant 1 each stage moves its position only after what follows from a message is
 * durable. So when `positions` are read first, and the topics to their ends after that, a change without an outcome that is not lost is
 * - at or past the batcher's position: in no batch yet, or in one of a window whose commit waits (a lane emits before the other), or
 * - in a batch at or past the mapper's position, or
 * - in an update, rename or removal at or past the writer's position.
 * For if the batcher's position has passed the change, its batch is durable (or, for an unreadable message, its outcome); if the
 * mapper's has passed the batch, its updates are, or the outcomes that the mapper writes itself (filtered, skipped, expanded, dead);
 * and if the writer's has passed the update, its outcome is. The positions need not be of one moment: each only has to be older than
 * the ends. Nor does it matter who holds a partition: an owner that lost it cannot commit, and its successor reads from the position.
 *
 * Redeliveries put a change into several batches and updates; each leads to an outcome that names it. A fan-out's changes, a redrive's
 * and a backfill's are changes of their own: their cause ends when they are durable. A position below the start of a topic counts as the
 * start: what retention took away cannot arrive any more.
 *
 * Order: the topics may be read in any order and any part twice; only the changes of one partition come in order.
 */
export class Ledger {
  private readonly books: ReadonlyMap<number, ChangeBook>;
  private readonly classes: ChangeClass[] = [];
  private readonly classNumbers = new Map<string, number>();

  /** `from`: by partition, the first change that is counted. */
  constructor(from: ReadonlyMap<number, number>) {
    this.books = new Map([...from].map(([partition, offset]) => [partition, new ChangeBook(offset)]));
  }

  /** Takes a change in the order of its partition; `null`: its message cannot be read. */
  change(partition: number, offset: number, about: { readonly recordType: string; readonly lane: Lane } | null): void {
    const changeClass =
      about === null ? this.classOf(UNREADABLE.object, UNREADABLE.lane) : this.classOf(about.recordType, about.lane);
    const early = this.books.get(partition)?.read(offset, changeClass) ?? null;
    if (early === null) return;
    (this.classes[changeClass] as ChangeClass).in += 1;
    if (early >= 0) this.count(changeClass, early);
  }

  /** Takes an outcome of the changes that it names. */
  outcome(names: readonly string[], kind: OutcomeKind): void {
    const number = outcomeKinds.indexOf(kind);
    for (const name of names) {
      const changeClass = this.bookOf(name)?.end(offsetOf(name), number) ?? null;
      if (changeClass !== null) this.count(changeClass, number);
    }
  }

  /** Takes a batch's entry (`batched`) or an update, rename or removal (`updated`) that covers changes, with where it stands. */
  covered(
    stage: Coverage,
    names: readonly string[],
    at: { readonly lane: Lane; readonly partition: number; readonly offset: number },
  ): void {
    const place = placeOf(at.lane, at.partition, at.offset);
    for (const name of names) this.bookOf(name)?.cover(stage, offsetOf(name), place);
  }

  /** Everything was read to ends that are younger than what names changes: what names others names nothing. */
  forgetUnknown(): void {
    for (const book of this.books.values()) book.dropEarly();
  }

  /** What became of everything, as of these positions. */
  judge({ changes, batches, updates }: Positions): Account {
    const isBeforeMapper = aheadOf(batches);
    const isBeforeWriter = aheadOf(updates);
    const inFlight = this.classes.map(() => 0);
    const lost = this.classes.map(() => 0);
    const gaps: Array<{ readonly partition: number; readonly offset: number; readonly changeClass: number }> = [];
    for (const [partition, book] of this.books) {
      const taken = changes.get(partition) ?? 0;
      book.eachOpen((offset, changeClass, batched, updated) => {
        const isOnItsWay = offset >= taken || isBeforeMapper(batched) || isBeforeWriter(updated);
        const counts = isOnItsWay ? inFlight : lost;
        counts[changeClass] = (counts[changeClass] as number) + 1;
        if (!isOnItsWay && gaps.length < MAX_GAPS) gaps.push({ partition, offset, changeClass });
      });
    }
    return {
      rows: this.classes
        .map((one, number) => toRow(one, inFlight[number] ?? 0, lost[number] ?? 0))
        .toSorted((a, b) => a.object.localeCompare(b.object) || a.lane.localeCompare(b.lane)),
      gap: lost.reduce((sum, count) => sum + count, 0),
      gaps: gaps
        .map(({ partition, offset, changeClass }) => {
          const { object, lane } = this.classes[changeClass] as ChangeClass;
          return { partition, offset, object, lane };
        })
        .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset),
    };
  }

  private count(changeClass: number, kind: number): void {
    const { ended } = this.classes[changeClass] as ChangeClass;
    ended[kind] = (ended[kind] as number) + 1;
  }

  private bookOf(name: string): ChangeBook | undefined {
    return this.books.get(Number(name.slice(0, name.indexOf(':'))));
  }

  private classOf(object: string, lane: Lane): number {
    const key = `${lane}:${object}`;
    const known = this.classNumbers.get(key);
    if (known !== undefined) return known;
    if (this.classes.length >= MAX_CLASSES && object !== OTHER) return this.classOf(OTHER, lane);
    const number = this.classes.length;
    this.classes.push({ object, lane, in: 0, ended: outcomeKinds.map(() => 0) });
    this.classNumbers.set(key, number);
    return number;
  }
}

function offsetOf(name: string): number {
  return Number(name.slice(name.indexOf(':') + 1));
}

function toRow({ object, lane, in: taken, ended }: ChangeClass, inFlight: number, gap: number): AccountRow {
  const byKind = Object.fromEntries(outcomeKinds.map((kind, number) => [kind, ended[number] ?? 0]));
  return { object, lane, in: taken, ended: byKind as Record<OutcomeKind, number>, inFlight, gap };
}
