import { topics, type Status } from '@libs/contracts';
import {
  InvalidMessageError,
  LogUnavailableError,
  type EventLog,
  type LogRecord,
  type ReadOptions,
} from '@libs/event-log';
import { describe, expect, it, vi } from 'vitest';
import { followTopic, untilDone } from './topic-reader.js';

const status = (id: string): Status => ({ id, type: 'progress', data: {}, time: 1, by: 'backfill' });
const record = (
  partition: number,
  offset: number,
  value: string | null = JSON.stringify(status(`${partition}:${offset}`)),
): LogRecord => ({
  topic: topics.status.name,
  partition,
  offset,
  key: 'k',
  value,
  headers: {},
  timestampMs: 1_000 + offset,
});

/** A log of two partitions that can be away; `reads` are the starts of each read. */
function fakeLog(
  runs: ReadonlyArray<readonly LogRecord[] | Error>,
  ends = [
    { partition: 0, earliest: 0, next: 10 },
    { partition: 1, earliest: 4, next: 6 },
  ],
) {
  const reads: Array<ReadOptions['from']> = [];
  const left = [...runs];
  const log = {
    offsets: async () => ends,
    async *read(_: unknown, { from, signal }: ReadOptions) {
      reads.push({ ...from });
      for (let run = left.shift(); run !== undefined; run = left.shift()) {
        if (run instanceof Error) throw run;
        yield run;
      }
      await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
    },
  } as unknown as EventLog;
  return { log, reads };
}

async function follow(runs: Parameters<typeof fakeLog>[0], lookback: number) {
  vi.useFakeTimers();
  const { log, reads } = fakeLog(runs);
  const seen: string[] = [];
  const told: string[] = [];
  const stop = new AbortController();
  const listener = {
    topic: topics.status,
    lookback,
    onMessages: (messages: ReadonlyArray<{ value: Status }>) => seen.push(...messages.map(({ value }) => value.id)),
    onStart: (start: { cut: boolean; expired: boolean }) => void told.push(JSON.stringify(start)),
    onFirstOfCut: (timeMs: number) => void told.push(`first ${timeMs}`),
  };
  const done = followTopic(log, listener, (reachable) => told.push(reachable ? 'here' : 'away'), stop.signal);
  const outcome = done.then(
    () => null,
    (error: unknown) => error,
  );
  await vi.advanceTimersByTimeAsync(60_000);
  stop.abort();
  const error = await outcome;
  vi.useRealTimers();
  return { reads, seen, told, error };
}

describe('followTopic', () => {
  it('reads all when little is there, and passes over what it cannot read', async () => {
    const { reads, seen, told } = await follow(
      [[record(0, 0), record(0, 1, '{'), record(0, 2, null), record(1, 4)]],
      1_000,
    );
    expect(reads).toEqual([{ 0: 0, 1: 4 }]);
    expect(seen).toEqual(['0:0', '1:4']);
    expect(told).toEqual(['{"cut":false,"expired":true}', 'here']);
  });

  it('begins a bounded distance before the end, and says from when on it knows all', async () => {
    const { reads, told } = await follow([[record(0, 7)], [record(0, 8), record(1, 4)]], 6);
    expect(reads).toEqual([{ 0: 7, 1: 4 }]);
    expect(told).toEqual(['{"cut":true,"expired":true}', 'here', 'first 1007', 'here']);
  });

  it('goes on where it was when the log was away', async () => {
    const { reads, seen, told } = await follow(
      [[record(0, 0)], new LogUnavailableError('refused'), [record(0, 1)]],
      1_000,
    );
    expect(reads).toEqual([
      { 0: 0, 1: 4 },
      { 0: 1, 1: 4 },
    ]);
    expect(seen).toEqual(['0:0', '0:1']);
    expect(told.slice(1)).toEqual(['here', 'away', 'here']);
  });

  it('ends with what is no failure of the world', async () => {
    const bug = new InvalidMessageError('a bug');
    expect((await follow([bug], 1_000)).error).toBe(bug);
  });
});

describe('untilDone', () => {
  it('tries again with growing pauses, and stops when told', async () => {
    vi.useFakeTimers();
    const stop = new AbortController();
    const times: number[] = [];
    const start = Date.now();
    const away = async () => {
      times.push(Date.now() - start);
      throw new LogUnavailableError('refused');
    };
    const done = untilDone(away, () => undefined, stop.signal);
    await vi.advanceTimersByTimeAsync(4_000);
    stop.abort();
    await done;
    vi.useRealTimers();
    expect(times).toEqual([0, 500, 1_500, 3_500]);
  });
});
