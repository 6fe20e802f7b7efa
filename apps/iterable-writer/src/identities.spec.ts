import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { allTopics, isOlder, topics, toRecordId, type Identity, type Version } from '@libs/contracts';
import { createEmbeddedLog, type EmbeddedLog } from '@libs/event-log';
import { createLogger, Health } from '@libs/observability';
import { Identities } from './identities.js';
import { IdentityStore } from './identity-store.js';

const leadId = (n: number) => toRecordId(`00Q5f00000${String(n).padStart(5, '0')}`) ?? '';
const version = (modstampMs: number) => ({ modstampMs, fetchedAtMs: 0 });
const message = (n: number, modstampMs: number) => {
  const value: Identity = { recordType: 'Lead', email: `${n}@example.com`, version: version(modstampMs) };
  return { topic: topics.identities, key: leadId(n), value };
};

let dataDir: string;
let log: EmbeddedLog;
let health: Health;
const opened: Identities[] = [];

function open(): Identities {
  const store = IdentityStore.open({ dataDir, source: 'test' });
  const identities = new Identities(store, log, { health, logger: createLogger('test', 'silent') });
  opened.push(identities);
  return identities;
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'identities-'));
  log = createEmbeddedLog({ dataDir: ':memory:', partitions: 2 });
  health = new Health();
  await log.applyTopics(allTopics);
});

afterEach(async () => {
  for (const identities of opened.splice(0)) identities.close();
  await log.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Is a version older than what is known of the record? */
function isStale({ view }: Identities, recordId: string, at: Version): boolean {
  const known = view.of(recordId);
  return known !== null && isOlder(at, known.version);
}

describe('Identities', () => {
  it('know what was written before, once they have caught up', async () => {
    await log.append([message(1, 5), message(2, 5), message(1, 7)]);
    const identities = open();
    expect(isStale(identities, leadId(1), version(6))).toBe(false);
    await identities.catchUp(new AbortController().signal);
    expect([6, 7, 8].map((at) => isStale(identities, leadId(1), version(at)))).toEqual([true, false, false]);
    expect(isStale(identities, leadId(3), version(0))).toBe(false);
    expect(health.ready).toBe(true);
  });

  it('read along while standing by', async () => {
    const identities = open();
    identities.standBy();
    await log.append([message(1, 5)]);
    await vi.waitFor(() => expect(isStale(identities, leadId(1), version(4))).toBe(true));
    await log.append([message(1, 9)]);
    await vi.waitFor(() => expect(isStale(identities, leadId(1), version(8))).toBe(true));
  });

  it('go on from where the last process was, and take their own appends without reading them', async () => {
    const first = open();
    await first.catchUp(new AbortController().signal);
    const own = message(1, 5);
    const [position] = await log.append([own]);
    if (position !== undefined) first.wrote([{ message: own, position }]);
    opened.pop()?.close();
    const read = vi.spyOn(log, 'read');
    const second = open();
    await second.catchUp(new AbortController().signal);
    expect(isStale(second, leadId(1), version(4))).toBe(true);
    const from = read.mock.calls[0]?.[1]?.from;
    expect(from).toEqual({ [position?.partition ?? -1]: 1 });
  });

  it('read what a writer that lost its claims appended in between', async () => {
    const identities = open();
    await identities.catchUp(new AbortController().signal);
    await log.append([message(1, 8)]); // the other's
    const own = message(1, 5);
    const [position] = await log.append([own]);
    if (position !== undefined) identities.wrote([{ message: own, position }]);
    await vi.waitFor(() => expect(isStale(identities, leadId(1), version(7))).toBe(true));
  });

  it('begin anew when the topic was made anew', async () => {
    await log.append([message(1, 5), message(1, 6), message(1, 7)]);
    await open().catchUp(new AbortController().signal);
    opened.pop()?.close();
    await log.close();
    log = createEmbeddedLog({ dataDir: ':memory:', partitions: 2 });
    await log.applyTopics(allTopics);
    await log.append([message(1, 3)]);
    const identities = open();
    await identities.catchUp(new AbortController().signal);
    expect([2, 3, 6].map((at) => isStale(identities, leadId(1), version(at)))).toEqual([true, false, false]);
  });

  it('give up a reading that says nothing, and begin anew, also when the one of the standby never ends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let reads = 0;
    const stuck = {
      offsets: () => Promise.resolve([]),
      async *read(_: unknown, { untilEnd = false }: { untilEnd?: boolean }): AsyncGenerator<never[]> {
        if (untilEnd) reads += 1;
        if (!untilEnd || reads < 3) await new Promise(() => {});
        yield [];
      },
    };
    const store = IdentityStore.open({ dataDir, source: 'test' });
    const identities = new Identities(store, stuck, { health, logger: createLogger('test', 'silent') });
    identities.standBy();
    let caughtUp = false;
    void identities.catchUp(new AbortController().signal).then(() => (caughtUp = true));
    await vi.advanceTimersByTimeAsync(11_000);
    expect([reads, caughtUp, health.ready]).toEqual([1, false, false]);
    vi.useRealTimers();
    await vi.waitFor(() => expect(reads).toBe(2), 5_000);
    identities.close();
  });

  it('wait, not ready, while the topic cannot be read', async () => {
    const bare = createEmbeddedLog({ dataDir: ':memory:', partitions: 2 });
    const store = IdentityStore.open({ dataDir, source: 'test' });
    const identities = new Identities(store, bare, { health, logger: createLogger('test', 'silent') });
    const caughtUp = identities.catchUp(new AbortController().signal);
    await vi.waitFor(() => expect(health.ready).toBe(false));
    await bare.applyTopics(allTopics);
    await caughtUp;
    expect(health.ready).toBe(true);
    identities.close();
    await bare.close();
  });
});
