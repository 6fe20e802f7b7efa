import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { topics } from '@libs/contracts';
import { LogUnavailableError } from '@libs/event-log';
import { parseMappingFiles } from '@libs/mapping';
import { idOf, LEAD_YAML, recordBatch, setUp } from '../test/mapper-stage.js';

const BROKEN_YAML = `${LEAD_YAML}transform:\n  dataFields.Upper: $uppercase(IsDeleted)\n`;
const set = (text: string) => parseMappingFiles([{ name: 'Lead.yaml', text }]);
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

/** A mapper whose mapping fails for every record, with so many of them in the org. */
function broken(count: number) {
  const stage = setUp({ 'Lead.yaml': BROKEN_YAML });
  for (const n of numbers(0, count)) stage.lead(n);
  const of = (name: 'deadLetters' | 'realtimeUpdates' | 'backfillUpdates') =>
    stage.appended.filter(({ topic }) => topic === topics[name]).map(({ key }) => key);
  const mend = (text = LEAD_YAML) => {
    stage.mappings.replace(set(text));
    stage.safety.restart();
  };
  return { ...stage, of, mend };
}

/** Lets everything happen that can happen now. */
const settle = async () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a mapper whose mapping fails for every record', () => {
  it('lets a hundred die at most: what would be too much is not appended, and mapped anew once the mapping is mended', async () => {
    const { mapper, given, of, mend, health, safety, appended, org } = broken(450);
    await mapper.process(given([recordBatch(numbers(0, 50))]), 'backfill');
    expect(of('deadLetters')).toHaveLength(50);
    const before = appended.length;
    let isDone = false;
    const held = mapper
      .process(given([recordBatch(numbers(50, 200)), recordBatch(numbers(250, 200))]), 'backfill')
      .then(() => (isDone = true));
    await vi.waitFor(() => expect(safety.stopped('backfill')).toBe(true));
    await vi.advanceTimersByTimeAsync(3_600_000); // it may take any time
    expect(isDone).toBe(false);
    expect(appended).toHaveLength(before);
    expect(org.queries).toHaveLength(3); // and it asks the org nothing meanwhile
    expect(health.ready).toBe(false);
    mend();
    await held;
    expect(of('deadLetters')).toHaveLength(50);
    expect(of('backfillUpdates')).toEqual(numbers(50, 400).map(idOf));
    expect(org.queries).toHaveLength(5); // fetched again: the newest state, by the fields of the new mapping
    expect(health.ready).toBe(true);
  });

  it('takes no batch of a stopped lane, good ones neither, and goes on with the other lane', async () => {
    const { mapper, given, of, mappings, mend, safety, org } = broken(250);
    void mapper.process(given([recordBatch(numbers(0, 200))]), 'backfill');
    await vi.waitFor(() => expect(safety.stopped('backfill')).toBe(true));
    const queries = org.queries.length;
    void mapper.process(given([recordBatch([200])]), 'backfill');
    await settle();
    expect(org.queries).toHaveLength(queries);
    mappings.replace(set(LEAD_YAML)); // without a word to the stop: the lane stays stopped
    await mapper.process(given([recordBatch([201])]), 'realtime');
    expect(of('realtimeUpdates')).toEqual([idOf(201)]);
    expect(of('backfillUpdates')).toEqual([]);
    mend();
    await vi.waitFor(() => expect(of('backfillUpdates')).toHaveLength(201));
  });

  it('keeps none of the turns of the backfill while it waits', async () => {
    const { mapper, given, of, mend, safety } = broken(600);
    const held = numbers(0, 5).map((n) => mapper.process(given([recordBatch(numbers(n * 100, 100))]), 'backfill'));
    await vi.waitFor(() => expect(safety.stopped('backfill')).toBe(true));
    await settle();
    mend();
    await Promise.all(held);
    expect(of('backfillUpdates').toSorted()).toEqual(numbers(0, 500).map(idOf).toSorted());
    expect(of('deadLetters')).toEqual([]);
  });

  it('stops again by a mended mapping that is still wrong', async () => {
    const { mapper, given, of, mend, safety } = broken(200);
    const held = mapper.process(given([recordBatch(numbers(0, 200))]), 'realtime');
    await vi.waitFor(() => expect(safety.stopped('realtime')).toBe(true));
    mend(BROKEN_YAML.replace('Upper', 'Other'));
    expect(safety.stopped('realtime')).toBe(false);
    await vi.waitFor(() => expect(safety.stopped('realtime')).toBe(true));
    mend();
    await held;
    expect(of('deadLetters')).toEqual([]);
    expect(of('realtimeUpdates')).toHaveLength(200);
  });

  it('is not stopped, and kills nothing, by a batch that was begun with the mapping of before', async () => {
    const { mapper, given, of, mend, safety, org } = broken(300);
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    org.beforeAnswer = async () => {
      asked.resolve();
      await answered.promise;
    };
    const underWay = mapper.process(given([recordBatch(numbers(0, 150))]), 'realtime');
    await asked.promise;
    mend();
    answered.resolve();
    await underWay;
    expect(safety.stopped('realtime')).toBe(false);
    expect(of('deadLetters')).toEqual([]);
    expect(of('realtimeUpdates')).toHaveLength(150);
  });

  it('does not count what did not become durable', async () => {
    const { mapper, given, safety, log, all } = broken(60);
    await expect(
      (async () => {
        log.failures = [new LogUnavailableError('away')];
        await mapper.process(given([recordBatch(numbers(0, 60))]), 'realtime');
      })(),
    ).rejects.toThrow('away');
    expect(all).toEqual([]);
    await mapper.process(given([recordBatch(numbers(0, 60))]), 'realtime');
    expect(safety.stopped('realtime')).toBe(false);
    expect(safety.wouldTrip('realtime', { ended: 39, dead: new Map([['a.b', 39]]) })).toBe(false);
    expect(safety.wouldTrip('realtime', { ended: 40, dead: new Map([['a.b', 40]]) })).toBe(true);
  });

  it('gives a held batch up when its partition is taken away', async () => {
    const { mapper, given, appended, safety, takeAway } = broken(100);
    const held = mapper.process(given([recordBatch(numbers(0, 100))]), 'backfill');
    await vi.waitFor(() => expect(safety.stopped('backfill')).toBe(true));
    takeAway();
    await held;
    expect(appended).toEqual([]);
  });

  it('gives it up undecided when the service ends', async () => {
    const { mapper, given, appended, safety, gate } = broken(100);
    const held = mapper.process(given([recordBatch(numbers(0, 100))]), 'backfill');
    await vi.waitFor(() => expect(safety.stopped('backfill')).toBe(true));
    gate.close();
    await expect(held).rejects.toMatchObject({ code: 'mapper.safety_stop', retryable: true });
    await expect(mapper.process(given([recordBatch([0])]), 'backfill')).rejects.toMatchObject({ retryable: true });
    expect(appended).toEqual([]);
  });
});
