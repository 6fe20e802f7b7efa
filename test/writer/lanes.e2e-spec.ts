import { setTimeout as gap } from 'node:timers/promises';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { updateTopics, type Lane, type UserUpdate } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import { waitFor } from '../support/wait.js';
import { leadId, mostInWindow, Stage } from './stage.js';

/**
 * Both lanes at once, on a real broker: Invariant 6 and the limit, counted in the sandbox's own log of requests. How long the way from
 * the topic to a request took is not asked, only how many requests went before.
 */

/** Most requests to Iterable that may leave between a real-time change and its own. Source: Invariant 6. */
const MOST_BEFORE = 2;
/** Requests a second, and users a request, of the settings. */
const RATE = 5;
const USERS = 1_000;
/** Users that a backfill brings: more than are written in the time of a test, and more than the writer holds. */
const BACKFILL = 60_000;
const RUN = 10_000;
/** Arrivals are records of their own, far from those of the backfill. */
const FIRST_ARRIVAL = 10_000_000;
/** When what a backfill says of a record was fetched, and what a real-time change says of it. */
const [BACKFILLED, CHANGED] = [1_000, 2_000];

let stage: Stage;

afterEach(async () => {
  await stage.close();
  handedAt.clear();
});

const emailOf = (n: number) => `user${n}@example.com`;
/** Its state in Iterable, by the fetch that it is of. */
const fetchedAt = (n: number) => stage.profile({ email: emailOf(n) })?.['FetchedAt'];

function updateOf(n: number, fetchedAtMs = BACKFILLED): UserUpdate {
  return {
    kind: 'update',
    recordType: 'Lead',
    recordId: leadId(n),
    offsets: [`0:${n}`],
    jobIds: [],
    commitTimestamp: 0,
    version: { modstampMs: 1_000, fetchedAtMs },
    email: emailOf(n),
    dataFields: { Number: n, FetchedAt: fetchedAtMs },
  };
}

async function append(log: EventLog, lane: Lane, updates: readonly UserUpdate[]): Promise<void> {
  await log.append(updates.map((value) => ({ topic: updateTopics[lane], key: value.recordId, value })));
}

/** Opens everything, with a backfill that has begun. */
async function begin(faultMs = 0): Promise<void> {
  stage = new Stage({ brokers: inject('kafkaBrokers') });
  // A busy machine is no death of a writer here
  stage.settings['KAFKA_SESSION_TIMEOUT_MS'] = '6000';
  await stage.open();
  if (faultMs > 0) stage.fault('latency', { options: { delayMs: faultMs } });
  for (let n = 0; n < BACKFILL; n += RUN) {
    const some = Array.from({ length: RUN }, (_, at) => updateOf(n + at));
    await append(stage.log, 'backfill', some);
  }
  await startWriter();
  await waitFor('the backfill to begin', () => stage.requests().length >= 2, 60_000);
}

/** On a connection of its own: what it appends holds up nobody else's. */
const startWriter = async () => stage.startWriter({}, watched(await stage.openLog()));

/** Bulk requests that had come to Iterable when a record was first handed to a writer, by record id: only real-time ones. */
const handedAt = new Map<string, number>();

/** A log that notes when it hands out real-time records. */
function watched(log: EventLog): EventLog {
  const consume: EventLog['consume'] = (options, handlers) =>
    log.consume(options, {
      ...handlers,
      onRecords(records, claim) {
        if (claim.topic === updateTopics.realtime.name)
          for (const { key } of records) if (!handedAt.has(key)) handedAt.set(key, stage.requests().length);
        return handlers.onRecords(records, claim);
      },
    });
  return new Proxy(log, {
    get(target, name) {
      if (name === 'consume') return consume;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

interface Arrival {
  /** Its record. */
  readonly n: number;
  /** Bulk requests that had come to Iterable when its append began, and when the log had it. */
  readonly sent: number;
  readonly appended: number;
}

async function arrive(n: number): Promise<Arrival> {
  const sent = stage.requests().length;
  await append(stage.log, 'realtime', [updateOf(n, CHANGED)]);
  return { n, sent, appended: stage.requests().length };
}

/** Single arrivals one after the other, with gaps that are no multiple of the pace of requests. */
async function arriveApart(count: number, recordOf: (at: number) => number): Promise<Arrival[]> {
  const all: Arrival[] = [];
  while (all.length < count) {
    all.push(await arrive(recordOf(all.length)));
    await gap(40 + ((all.length * 73) % 310));
  }
  return all;
}

/** Bulk requests that came before the one that holds it, since its append and since the writer had it, by the order of Iterable's log. */
function requestsBefore({ n, sent, appended }: Arrival): {
  readonly sinceAppend: number;
  readonly sinceHanded: number;
} {
  const all = stage.requests();
  const after = all[sent - 1]?.number ?? 0;
  const own = stage.sandbox.requests({ endpoint: 'users/bulkUpdate', email: emailOf(n), after }).at(0);
  const place = all.findIndex(({ number }) => number === own?.number);
  const handed = handedAt.get(leadId(n));
  if (place < 0 || handed === undefined) throw new Error(`record ${n} was never sent`);
  return { sinceAppend: Math.max(0, place - appended), sinceHanded: Math.max(0, place - handed) };
}

/** No one waits for more in the writer; on the way through the broker a busy machine may hold up some. */
function expectSoon(arrivals: readonly Arrival[]): void {
  const before = arrivals.map(requestsBefore);
  const handed = before.map(({ sinceHanded }) => sinceHanded);
  expect(Math.max(...handed), `requests before each: ${handed.join(' ')}`).toBeLessThanOrEqual(MOST_BEFORE);
  const appended = before.map(({ sinceAppend }) => sinceAppend).toSorted((one, other) => one - other);
  expect(appended[Math.floor(appended.length / 2)], `since the append: ${appended.join(' ')}`).toBeLessThanOrEqual(
    MOST_BEFORE,
  );
}

/** All of them are in Iterable, and the backfill was not over before. */
async function written(arrivals: readonly Arrival[]): Promise<void> {
  await waitFor('the arrivals to be written', () => arrivals.every(({ n }) => fetchedAt(n) === CHANGED), 60_000);
  expect(stage.sandbox.stats().users, 'users, while the backfill waits').toBeLessThan(BACKFILL);
}

describe('a real-time change, with a backfill waiting', () => {
  it.each([
    ['at once', 0],
    // More requests would be on their way than a backfill may have
    ['after 4 s', 4_000],
  ])('is in one of the next three requests, when Iterable answers %s', async (_, delayMs) => {
    await begin(delayMs);
    // Every other one is about a record that waits in the backfill, behind all that the writer holds
    const all = await arriveApart(24, (at) => (at % 2 === 0 ? FIRST_ARRIVAL + at : BACKFILL - at));
    await written(all);
    expectSoon(all);
  });
});

describe('real-time changes, more of them than there are requests', () => {
  it.each([
    ['at once', 0, 0.9],
    // Of 20 requests on their way 16 may be full (Invariant 5)
    ['after 4 s', 4_000, 0.75],
  ])('take the backfill along in full requests, when Iterable answers %s', async (_, delayMs, full) => {
    await begin(delayMs);
    const from = stage.requests().length;
    const all: Arrival[] = [];
    // As fast as the log takes them
    while (stage.requests().length < from + 30) all.push(await arrive(FIRST_ARRIVAL + all.length));
    const to = stage.requests().length;
    await written(all);
    expect(all.length, 'arrivals').toBeGreaterThan(3 * (to - from));
    const users = stage
      .requests()
      .slice(from, to)
      .map((request) => request.users);
    const mean = users.reduce((sum, count) => sum + count, 0) / users.length;
    expect(mean, `users: ${users.join(' ')}`).toBeGreaterThan(full * USERS);
    expectSoon(all);
  });
});

describe('the limit', () => {
  it('holds for both lanes while one writer after the other takes over', async () => {
    await begin();
    const arriving = arriveApart(70, (at) => FIRST_ARRIVAL + at);
    for (let takeover = 0; takeover < 3; takeover += 1) {
      const [active] = stage.writers;
      await startWriter();
      const before = stage.requests().length;
      await waitFor('some requests', () => stage.requests().length > before + 8, 60_000);
      stage.writers.shift();
      await active?.close();
    }
    await written(await arriving);
    const requests = stage.requests();
    for (const seconds of [10, 12.5, 15, 20])
      expect(mostInWindow(requests, seconds), `in ${seconds} s`).toBeLessThanOrEqual(RATE * seconds + 1);
    expect(requests.filter(({ status }) => status === 429)).toEqual([]);
  });
});
