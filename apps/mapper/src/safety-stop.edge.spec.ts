import { groupOf, topics } from '@libs/contracts';
import { DEAD_LETTERS_CHECK, type RunningService } from '@libs/service';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { batchOf, closeAll, idOf, LAST, lead, soon, STAMP, Stage } from '../test/live-stage.js';

const RECORDS = 2_000;
/** Records in a batch: less than what stops a lane, so that some die before it does. */
const BATCH = 60;
const PARTITIONS = 2;
/** What may die before the lane is stopped: what a partition does not hold back is less than a hundred at a time. */
const MAY_DIE = 100 * PARTITIONS;
/** Fails for a name that is no number: for all that are backfilled here, not for what changes in real time. */
const WRONG = `${lead(LAST)}transform:\n  dataFields.Rank: $number(LastName)\n`;
const MENDED = lead(LAST);

afterEach(closeAll);

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
const ids = (all: ReadonlyArray<{ readonly recordId?: string }>) => all.map(({ recordId = '' }) => recordId).toSorted();
const everyId = numbers(0, RECORDS).map(idOf).toSorted();

/** Leads in the org, all of them in batches of the backfill lane, and a mapping that fails for each. */
async function setUp(kind: 'embedded' | 'kafka'): Promise<Stage> {
  const stage = await Stage.set(kind);
  stage.write(WRONG);
  for (const n of numbers(0, RECORDS)) {
    stage.org.put(idOf(n), { SystemModstamp: STAMP, Email: `l${n}@example.com`, LastName: `L${n}` });
  }
  const batches = numbers(0, Math.ceil(RECORDS / BATCH)).map((index) => {
    return batchOf(numbers(index * BATCH, Math.min(BATCH, RECORDS - index * BATCH)));
  });
  await stage.log.append(
    batches.map((value, index) => ({ topic: topics.backfillBatches, key: '0', partition: index % PARTITIONS, value })),
  );
  return stage;
}

const check = ({ health }: RunningService) => health.report().checks.find(({ name }) => name === DEAD_LETTERS_CHECK);
const whenStopped = (service: RunningService) => vi.waitFor(() => expect(check(service)?.ok).toBe(false), soon);
const whenWritten = (stage: Stage, count: number) =>
  vi.waitFor(async () => expect((await stage.all(topics.backfillUpdates)).length).toBe(count), soon);

/** A change in real time that the wrong mapping can map. */
async function realtimeFlows(stage: Stage, n: number): Promise<void> {
  stage.org.put(idOf(n), { SystemModstamp: STAMP, Email: `l${n}@example.com`, LastName: '7' });
  await stage.log.append([{ topic: topics.realtimeBatches, key: '0', partition: 0, value: batchOf([n]) }]);
  await vi.waitFor(async () => expect(ids(await stage.all(topics.realtimeUpdates))).toContain(idOf(n)), soon);
}

describe.each(['embedded', 'kafka'] as const)('a mapping that fails for every record, on the %s log', (kind) => {
  it('drains no more than a few into the dead letters; mended, everything else is mapped by itself', async () => {
    const stage = await setUp(kind);
    const service = await stage.mapper();
    await whenStopped(service);
    await realtimeFlows(stage, 9_000);
    expect(service.health.ready).toBe(false);
    expect(check(service)?.detail).toContain('sync dead-letters redrive --code mapping.expression_failed');
    expect((await service.metrics.safetyStop.get()).values.map(({ labels, value }) => [labels, value])).toEqual([
      [{ stage: 'mapper', lane: 'realtime' }, 0],
      [{ stage: 'mapper', lane: 'backfill' }, 1],
    ]);
    const dead = await stage.all(topics.deadLetters);
    expect(dead.length).toBeLessThan(MAY_DIE);
    expect(await stage.all(topics.backfillUpdates)).toEqual([]);

    stage.write(MENDED);
    await whenWritten(stage, RECORDS - dead.length);
    expect(ids([...dead, ...(await stage.all(topics.backfillUpdates))])).toEqual(everyId); // each once
    expect(await stage.all(topics.deadLetters)).toHaveLength(dead.length);
    expect(service.health.ready).toBe(true);
    await vi.waitFor(async () => {
      const positions = await stage.log.committed(groupOf('mapper'), topics.backfillBatches);
      const ends = await stage.log.offsets(topics.backfillBatches);
      expect(positions.map(({ offset }) => offset)).toEqual(ends.map(({ next }) => next));
    }, soon);
  });

  it('goes on by command: what must die dies, each record once', async () => {
    const stage = await setUp(kind);
    const service = await stage.mapper();
    await whenStopped(service);
    await stage.command('go-on', { minutes: 1 }, 'dead-letters.continue');
    await vi.waitFor(async () => expect((await stage.all(topics.deadLetters)).length).toBe(RECORDS), soon);
    expect(ids(await stage.all(topics.deadLetters))).toEqual(everyId);
    expect(service.health.ready).toBe(true);
    expect(check(service)).toMatchObject({ ok: true, warning: true });
  });

  it('ends at once while it is held back, and the next instance begins a new window', async () => {
    const stage = await setUp(kind);
    const first = await stage.mapper();
    await whenStopped(first);
    const before = (await stage.all(topics.deadLetters)).length;
    await first.close();
    expect(await stage.all(topics.deadLetters)).toHaveLength(before);
    const second = await stage.mapper();
    await whenStopped(second);
    expect((await stage.all(topics.deadLetters)).length).toBeLessThan(before + MAY_DIE);
    expect(await stage.all(topics.backfillUpdates)).toEqual([]);
    stage.write(MENDED);
    await vi.waitFor(async () => {
      const settled = [...(await stage.all(topics.backfillUpdates)), ...(await stage.all(topics.deadLetters))];
      expect([...new Set(ids(settled))]).toEqual(everyId);
    }, soon);
  });
});
