import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../random.js';
import type { ChangeEvent } from './change-event.js';
import { EventLog } from './event-log.js';

const HOUR = 3_600_000;
let now = 0;
let log: EventLog;
const open = () => {
  now = 1_000 * HOUR;
  log = new EventLog(() => now, 72 * HOUR, seededRandom(1));
};
afterEach(() => log.close());

const event = (entity: string): ChangeEvent => ({
  entity,
  recordIds: ['00Q5f000005bwLFEAY'],
  changeType: 'UPDATE',
  changeOrigin: '',
  transactionKey: '',
  sequenceNumber: 1,
  commitTimestamp: now,
  commitNumber: '1',
  commitUser: '',
  changedFields: [],
  nulledFields: [],
  body: {},
});

describe('the event log', () => {
  it('gives growing ids with gaps of 1 to 7', () => {
    open();
    const ids = log.append(Array.from({ length: 200 }, () => event('Lead')));
    const steps = ids.slice(1).map((id, index) => id - (ids[index] ?? 0));
    expect(new Set(steps)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
    expect(log.tip).toBe(ids.at(-1));
  });

  it('reads a place onwards, the asked entities only', () => {
    open();
    const [a = 0, b = 0, c = 0] = log.append([event('Lead'), event('Account'), event('Lead')]);
    expect(log.after(0, ['Lead'], 10).map((one) => one.replayId)).toEqual([a, c]);
    expect(log.after(a, ['Lead', 'Account'], 1).map((one) => one.replayId)).toEqual([b]);
    expect(log.holds(b)).toBe(true);
    expect(log.holds(c + 1)).toBe(false);
  });

  it('forgets after 72 hours, also what nobody read', () => {
    open();
    const [old = 0] = log.append([event('Lead')]);
    now += 71 * HOUR;
    const [young = 0] = log.append([event('Lead')]);
    expect(log.holds(old)).toBe(true);
    now += HOUR + 1;
    expect(log.holds(old)).toBe(false);
    expect(log.after(0, ['Lead'], 10).map((one) => one.replayId)).toEqual([young]);
    now += 72 * HOUR;
    expect(log.stats()).toEqual({ retained: 0, appended: 2, oldestReplayId: null, newestReplayId: young });
  });

  it('tells listeners once a transaction, and none for nothing', () => {
    open();
    let told = 0;
    const stop = log.onAppend(() => (told += 1));
    log.append([event('Lead'), event('Lead')]);
    log.append([]);
    expect(told).toBe(1);
    stop();
    log.append([event('Lead')]);
    expect(told).toBe(1);
  });

  it('lets other orgs pass: ids that are kept as long, deliver nothing and count as no event', () => {
    open();
    const [first = 0] = log.append([event('Lead')]);
    const passed = log.pass();
    expect(passed).toBeGreaterThan(first);
    expect(log.tip).toBe(passed);
    expect(log.holds(passed)).toBe(true);
    expect(log.after(0, ['Lead', 'Contact'], 10)).toHaveLength(1);
    expect(log.stats()).toEqual({ retained: 1, appended: 1, oldestReplayId: first, newestReplayId: passed });
    now += 73 * HOUR;
    expect(log.holds(passed)).toBe(false);
    expect(log.stats()).toEqual({ retained: 0, appended: 1, oldestReplayId: null, newestReplayId: passed });
  });

  it('gives long texts back, also those that it has not seen for long, until they expire', () => {
    open();
    const texts = Array.from({ length: 200 }, (_, n) => `${n} `.repeat(300));
    const withText = (text: string) => ({
      ...event('Lead'),
      body: { Description: text, Title: 'short', Rating: null },
    });
    log.append(texts.map(withText));
    now += 70 * HOUR;
    log.append([withText(texts[0] ?? ''), withText(texts[199] ?? '')]);
    const bodies = () => log.after(0, ['Lead'], 500).map((one) => one.event.body);
    expect(bodies().map((one) => one['Description'])).toEqual([...texts, texts[0], texts[199]]);
    expect(bodies()[7]).toEqual({ Description: texts[7], Title: 'short', Rating: null });
    now += 10 * HOUR;
    expect(bodies().map((one) => one['Description'])).toEqual([texts[0], texts[199]]);
  });

  it('finds the place some events earlier', () => {
    open();
    const ids = log.append(Array.from({ length: 5 }, () => event('Lead')));
    expect(log.before(ids[4] ?? 0, 2)).toBe(ids[2]);
    expect(log.before(ids[1] ?? 0, 9)).toBe(0);
  });
});
