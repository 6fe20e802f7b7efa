import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { toRecordId, topics, updateTopics, type Lane, type Outcome, type UserUpdate } from '@libs/contracts';
import type { Claim, EventLog, LogRecord, Outgoing, Position } from '@libs/event-log';
import { IterableTimeoutError, IterableUnreachableError, type HttpAnswer, type IterableApi } from '@libs/iterable';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import { IdentityStore } from './identity-store.js';
import { Writer } from './writer.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const OUTAGE_HOURS = 3;
const RUN = 1_000;
const RUNS: Readonly<Record<Lane, number>> = { realtime: 15, backfill: 35 };
const USERS = RUN * (RUNS.realtime + RUNS.backfill);
/** Of each lane, waiting: the room, and the rest of the run that filled it. */
const LANE_ROOM = 10_000;
/** On their way or to be sent again: twenty requests, four of them for real-time users only. */
const SENDING = 20 * RUN;

/** Iterable, which answers, or is away in all the ways there are: no server, a proxy's page, silence until the timeout. */
class Iterable {
  away = false;
  /** Attempts while it is away. Epoch milliseconds. */
  readonly probes: number[] = [];
  readonly written = new Set<string>();

  async bulkUpdateUsers(body: string): Promise<HttpAnswer> {
    if (this.away) return this.fail();
    const { users } = JSON.parse(body) as { users: Array<{ email: string }> };
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const { email } of users) this.written.add(email);
    return answer(200, JSON.stringify({ successCount: users.length, failCount: 0 }));
  }

  getFields(): Promise<HttpAnswer> {
    return this.away
      ? Promise.reject(new IterableUnreachableError('away'))
      : Promise.resolve(answer(200, '{"fields":{}}'));
  }

  private async fail(): Promise<HttpAnswer> {
    const which = this.probes.push(Date.now()) % 3;
    if (which === 0) throw new IterableUnreachableError('away');
    if (which === 1) return answer(503, '<html>503 Service Temporarily Unavailable</html>');
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    throw new IterableTimeoutError('no answer in time');
  }
}

const answer = (status: number, text: string): HttpAnswer => ({ status, headers: {}, text, receivedAtMs: Date.now() });

/** A log that keeps what the writer appends; nothing was in it before. */
class Log {
  readonly outcomes: Outcome[] = [];
  deadLetters = 0;
  private appended = 0;

  append(messages: readonly Outgoing[]): Promise<readonly Position[]> {
    for (const { topic, value } of messages) {
      if (topic.name === topics.outcomes.name) this.outcomes.push(value as Outcome);
      if (topic.name === topics.deadLetters.name) this.deadLetters += 1;
    }
    return Promise.resolve(messages.map(({ topic }) => ({ topic: topic.name, partition: 0, offset: this.appended++ })));
  }

  async *read(_: unknown, { untilEnd = false, signal }: { untilEnd?: boolean; signal?: AbortSignal }) {
    if (!untilEnd) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    yield [] as LogRecord[];
  }

  offsets() {
    return Promise.resolve([]);
  }
}

/** One lane of the log, which hands over a run of updates as soon as the one before was taken: as the event log does. */
class Source {
  taken = 0;
  committed = 0;
  readonly claim: Claim;

  constructor(
    readonly lane: Lane,
    private readonly firstUser: number,
  ) {
    this.claim = {
      topic: updateTopics[lane].name,
      partition: 0,
      signal: new AbortController().signal,
      heartbeatAgeMs: () => 0,
      commit: (nextOffset) => {
        this.committed = nextOffset;
        return Promise.resolve();
      },
    };
  }

  async deliver(writer: Writer): Promise<void> {
    const { topic, partition } = this.claim;
    for (let run = 0; run < RUNS[this.lane]; run += 1) {
      const records = Array.from({ length: RUN }, (_, index) => {
        const value = update(this.firstUser + run * RUN + index);
        return { topic, partition, offset: run * RUN + index, key: value.recordId, headers: {}, timestampMs: 0, value };
      });
      await writer.take({ topic, partition, records, nextOffset: (run + 1) * RUN, claim: this.claim }, this.lane);
      this.taken = (run + 1) * RUN;
    }
  }
}

const emailOf = (n: number) => `user${n}@example.com`;

function update(n: number): UserUpdate {
  return {
    kind: 'update',
    recordType: 'Lead',
    recordId: toRecordId(`00Q5f00000${String(n).padStart(5, '0')}`) ?? '',
    offsets: [`0:${n}`],
    jobIds: [],
    commitTimestamp: 0,
    version: { modstampMs: 1, fetchedAtMs: 0 },
    email: emailOf(n),
    dataFields: { State: n },
  };
}

let dataDir: string;
let log: Log;
let iterable: Iterable;
let health: Health;
let metrics: Metrics;
let writer: Writer;
let sources: readonly Source[];

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const heldUsers = () => sources.reduce((sum, { taken }) => sum + taken, 0) - log.outcomes.length;
const paused = async () => (await metrics.writerPaused.get()).values[0]?.value;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 5) });
  dataDir = mkdtempSync(join(tmpdir(), 'outage-'));
  log = new Log();
  iterable = new Iterable();
  health = new Health();
  metrics = createMetrics();
  writer = new Writer(
    {
      log: log as unknown as EventLog,
      client: iterable as unknown as IterableApi,
      store: IdentityStore.open({ dataDir, source: 'test' }),
      metrics,
      health,
      logger: createLogger('test', 'silent'),
    },
    {
      policy: { projectType: 'email', onDelete: 'ignore', onOptOut: 'unsubscribe', settleMs: MINUTE_MS },
      requestsPerSecond: 5,
      usersPerRequest: RUN,
      dryRun: false,
      newFields: 'project',
      seedFieldTypes: true,
      deadLetterStop: { percent: 25, windowMs: 60_000 },
      sessionTimeoutMs: 10_000,
    },
  );
  writer.start();
  sources = [new Source('realtime', 0), new Source('backfill', RUNS.realtime * RUN)];
  writer.assigned(sources.map(({ claim }) => claim));
});

afterEach(async () => {
  writer.stopTaking();
  const finished = writer.finish();
  await vi.runAllTimersAsync();
  await finished;
  vi.useRealTimers();
  rmSync(dataDir, { recursive: true, force: true });
});

it(
  'waits out hours without Iterable: holds no more with time, asks ever more rarely, and goes on by itself',
  { timeout: 60_000 },
  async () => {
    const delivered = Promise.all(sources.map((source) => source.deliver(writer)));
    await pass(3_000);
    expect(iterable.written.size).toBeGreaterThan(0);
    expect(health.ready).toBe(true);

    iterable.away = true;
    await pass(10 * MINUTE_MS);
    const held = { users: heldUsers(), timers: vi.getTimerCount() };
    const told = { outcomes: log.outcomes.length, committed: sources.map(({ committed }) => committed) };
    expect(held.users).toBeGreaterThan(LANE_ROOM);
    expect(held.users).toBeLessThanOrEqual(2 * (LANE_ROOM + RUN) + SENDING);
    expect(health.report().checks.find(({ name }) => name === 'iterable')?.ok).toBe(false);
    expect(await paused()).toBe(1);

    await pass(OUTAGE_HOURS * HOUR_MS);
    // Invariant 5: as much as after ten minutes, and nothing that counts the time
    expect(heldUsers()).toBe(held.users);
    expect(vi.getTimerCount()).toBeLessThanOrEqual(held.timers + 1);
    // Invariant 7: nobody is dead, and nothing is passed over
    expect(log.deadLetters).toBe(0);
    expect(log.outcomes).toHaveLength(told.outcomes);
    expect(sources.map(({ committed }) => committed)).toEqual(told.committed);
    const lastHour = iterable.probes.filter((at) => at > Date.now() - HOUR_MS);
    // At most 30 s apart, or as long as one of three waits for its timeout; never more often than twice that.
    expect(lastHour.length).toBeGreaterThanOrEqual(HOUR_MS / 40_000);
    expect(lastHour.length).toBeLessThanOrEqual(HOUR_MS / 15_000);
    const gaps = lastHour.slice(1).map((at, index) => at - (lastHour[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(15_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(61_000);

    iterable.away = false;
    const before = iterable.written.size;
    await pass(61_000);
    expect(iterable.written.size).toBeGreaterThan(before);
    expect(await paused()).toBe(0);
    await pass(2 * MINUTE_MS);
    await delivered;
    expect(iterable.written.size).toBe(USERS);
    expect(log.outcomes.filter(({ kind }) => kind === 'written')).toHaveLength(USERS);
    expect(new Set(log.outcomes.flatMap(({ offsets }) => offsets)).size).toBe(USERS);
    expect(sources.map(({ committed }) => committed)).toEqual(sources.map(({ lane }) => RUNS[lane] * RUN));
    expect(log.deadLetters).toBe(0);
    expect(health.ready).toBe(true);
  },
);
