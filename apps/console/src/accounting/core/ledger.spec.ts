import * as fc from 'fast-check';
import { outcomeKinds, type Lane, type OutcomeKind } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { Ledger, MAX_CLASSES, MAX_GAPS, type Account, type Positions } from './ledger.js';

const PARTITIONS = [0, 1];
const at = (offset: number): ReadonlyMap<number, number> => new Map(PARTITIONS.map((partition) => [partition, offset]));
const both = (offset: number) => ({ realtime: at(offset), backfill: at(offset) });
/** Every stage is done with everything. */
const allDone: Positions = { changes: at(1e6), batches: both(1e6), updates: both(1e6) };
const lead = { recordType: 'Lead', lane: 'realtime' } as const;
const rowOf = ({ rows }: Account, object = 'Lead', lane: Lane = 'realtime') =>
  rows.find((row) => row.object === object && row.lane === lane);

/** Four Leads in partition 0, of which the first two are written. */
function started(): Ledger {
  const ledger = new Ledger(at(0));
  for (const offset of [0, 1, 2, 3]) ledger.change(0, offset, lead);
  ledger.outcome(['0:0', '0:1'], 'written');
  return ledger;
}

describe('what a change is', () => {
  it('is in flight as long as the batcher has not passed it', () => {
    expect(rowOf(started().judge({ ...allDone, changes: at(2) }))).toMatchObject({ in: 4, inFlight: 2, gap: 0 });
    expect(rowOf(started().judge({ ...allDone, changes: at(3) }))).toMatchObject({ in: 4, inFlight: 1, gap: 1 });
  });

  it('is in flight while a batch with it waits for the mapper, or an update with it for the writer', () => {
    const ledger = started();
    ledger.covered('batched', ['0:2'], { lane: 'realtime', partition: 0, offset: 5 });
    ledger.covered('updated', ['0:3'], { lane: 'backfill', partition: 1, offset: 7 });
    const judge = (batches: number, updates: number) =>
      ledger.judge({ changes: at(4), batches: both(batches), updates: both(updates) });
    expect(judge(5, 7).gap).toBe(0);
    expect(judge(6, 7).gaps).toEqual([{ partition: 0, offset: 2, object: 'Lead', lane: 'realtime' }]);
    expect(judge(5, 8).gaps).toEqual([{ partition: 0, offset: 3, object: 'Lead', lane: 'realtime' }]);
    expect(judge(6, 8).gap).toBe(2);
  });

  it('tells lanes and partitions apart: a position of one says nothing of another', () => {
    const ledger = started();
    ledger.covered('updated', ['0:2', '0:3'], { lane: 'backfill', partition: 1, offset: 7 });
    const others = { realtime: at(8), backfill: new Map([[0, 8]]) };
    expect(ledger.judge({ changes: at(4), batches: both(9), updates: others }).gap).toBe(0);
    const own = { realtime: at(0), backfill: new Map([[1, 8]]) };
    expect(ledger.judge({ changes: at(4), batches: both(9), updates: own }).gap).toBe(2);
  });

  it('is lost when an outcome is missing, until that comes late', () => {
    const ledger = started();
    ledger.outcome(['0:3'], 'skipped');
    expect(ledger.judge(allDone)).toMatchObject({
      gap: 1,
      gaps: [{ partition: 0, offset: 2, object: 'Lead', lane: 'realtime' }],
    });
    ledger.outcome(['0:2'], 'dead');
    expect(rowOf(ledger.judge(allDone))).toEqual({
      object: 'Lead',
      lane: 'realtime',
      in: 4,
      ended: { written: 2, superseded: 0, filtered: 0, skipped: 1, expanded: 0, dead: 1 },
      inFlight: 0,
      gap: 0,
    });
  });

  it('counts once, as what it was first, however often it is told', () => {
    const ledger = started();
    ledger.outcome(['0:1', '0:1', '0:0'], 'superseded');
    ledger.change(0, 1, lead);
    expect(rowOf(ledger.judge(allDone))).toMatchObject({ in: 4, ended: { written: 2, superseded: 0 }, gap: 2 });
  });

  it('does not count before the start, nor twice over a settled page', () => {
    const ledger = new Ledger(new Map([[0, 1_000]]));
    ledger.change(0, 999, lead);
    ledger.outcome(['0:999', '7:1', '0:5'], 'written');
    for (let offset = 1_000; offset < 3_000; offset += 1) ledger.change(0, offset, lead);
    for (let round = 0; round < 2; round += 1) {
      for (let offset = 1_000; offset < 3_000; offset += 1) ledger.outcome([`0:${offset}`], 'written');
    }
    expect(rowOf(ledger.judge(allDone))).toMatchObject({ in: 2_000, ended: { written: 2_000 }, gap: 0 });
  });

  it('does not miss an offset at which there is no message', () => {
    const ledger = new Ledger(new Map([[0, 10]]));
    ledger.change(0, 12, lead);
    ledger.change(0, 5_000, lead);
    ledger.outcome(['0:12', '0:11', '0:13', '0:4999', '0:700'], 'written');
    expect(rowOf(ledger.judge(allDone))).toMatchObject({ in: 2, ended: { written: 1 }, gap: 1 });
    ledger.outcome(['0:5000'], 'written');
    expect(ledger.judge(allDone).gap).toBe(0);
  });

  it('counts an unreadable one, which ends dead', () => {
    const ledger = new Ledger(at(0));
    ledger.change(0, 0, null);
    ledger.outcome(['0:0'], 'dead');
    expect(rowOf(ledger.judge(allDone), 'unknown')).toMatchObject({ in: 1, ended: { dead: 1 }, gap: 0 });
  });

  it('is not made by an outcome of what the log does not have', () => {
    const ledger = started();
    ledger.outcome(['0:4'], 'written');
    ledger.forgetUnknown();
    ledger.change(0, 4, lead);
    expect(ledger.judge(allDone).gap).toBe(3);
  });
});

describe('what is kept', () => {
  it('is bounded in objects and in changes that are named', () => {
    const ledger = new Ledger(at(0));
    const changes = MAX_CLASSES + 20;
    for (let offset = 0; offset < changes; offset += 1) {
      ledger.change(0, offset, { recordType: `Object${offset}__c`, lane: 'backfill' });
    }
    const account = ledger.judge(allDone);
    expect(account.gap).toBe(changes);
    expect(account.gaps).toHaveLength(MAX_GAPS);
    expect(account.rows).toHaveLength(MAX_CLASSES + 1);
    expect(rowOf(account, 'other', 'backfill')).toMatchObject({ in: 20, gap: 20 });
  });
});

interface Made {
  readonly partition: number;
  readonly object: string;
  readonly lane: Lane;
  /** How it ended; `null`: not at all. */
  readonly kind: OutcomeKind | null;
  readonly covered: 'batched' | 'updated' | null;
  readonly isAhead: boolean;
  readonly repeats: number;
}

const made: fc.Arbitrary<Made> = fc.record({
  partition: fc.constantFrom(...PARTITIONS),
  object: fc.constantFrom('Lead', 'Contact'),
  lane: fc.constantFrom<Lane>('realtime', 'backfill'),
  kind: fc.option(fc.constantFrom(...outcomeKinds), { freq: 4 }),
  covered: fc.option(fc.constantFrom('batched', 'updated')),
  isAhead: fc.boolean(),
  repeats: fc.integer({ min: 1, max: 3 }),
});
const START = 509; // so that a world crosses a page
const POSITION = 50;

type Step = (ledger: Ledger) => void;

/** A world, and each step by which the book hears of it; the changes of each partition in a list of their own, in order. */
function stepsOf(world: readonly Made[]) {
  const next = [START, START];
  const changes: Step[][] = [[], []];
  const others: Step[] = [];
  for (const { partition, object, lane, kind, covered, isAhead, repeats } of world) {
    const offset = (next[partition] as number)++;
    const names = [`${partition}:${offset}`];
    for (let time = 0; time < repeats; time += 1) {
      changes[partition]?.push((ledger) => ledger.change(partition, offset, { recordType: object, lane }));
      if (kind !== null) others.push((ledger) => ledger.outcome(names, kind));
      if (covered !== null) {
        const place = { lane, partition, offset: isAhead ? POSITION + time : POSITION - 1 - time };
        others.push((ledger) => ledger.covered(covered, names, place));
      }
    }
  }
  return { changes, others };
}

/** The same by counting. */
function countOf(world: readonly Made[], object: string, lane: Lane) {
  const ours = world.filter((one) => one.object === object && one.lane === lane);
  const count = (is: (one: Made) => boolean) => ours.filter(is).length;
  const inFlight = count(({ kind, covered, isAhead }) => kind === null && covered !== null && isAhead);
  return {
    in: ours.length,
    ended: Object.fromEntries(outcomeKinds.map((kind) => [kind, count((one) => one.kind === kind)])),
    inFlight,
    gap: count(({ kind }) => kind === null) - inFlight,
  };
}

describe('a book, whatever happened and in whatever order it is read', () => {
  it('has each change exactly once: ended, in flight or lost', () => {
    fc.assert(
      fc.property(fc.array(made, { maxLength: 60 }), fc.infiniteStream(fc.nat()), (world, choices) => {
        const ledger = new Ledger(at(START));
        const { changes, others } = stepsOf(world);
        const choose = (below: number) => (choices.next().value as number) % below;
        // Others in any order, each partition's changes in their own, all mixed.
        const queues = [...changes, others];
        while (queues.some((queue) => queue.length > 0)) {
          const open = queues.filter((queue) => queue.length > 0);
          const queue = open[choose(open.length)] as Step[];
          const [step] = queue.splice(queue === others ? choose(queue.length) : 0, 1);
          step?.(ledger);
        }
        const account = ledger.judge({ changes: at(1e6), batches: both(POSITION), updates: both(POSITION) });
        for (const object of ['Lead', 'Contact']) {
          for (const lane of ['realtime', 'backfill'] as const) {
            const expected = countOf(world, object, lane);
            if (expected.in === 0) expect(rowOf(account, object, lane)).toBeUndefined();
            else expect(rowOf(account, object, lane)).toEqual({ object, lane, ...expected });
          }
        }
        expect(account.gaps).toHaveLength(account.gap);
      }),
      { numRuns: 300 },
    );
  });
});
