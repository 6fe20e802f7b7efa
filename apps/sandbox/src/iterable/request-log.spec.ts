import { describe, expect, it } from 'vitest';
import { RequestLog } from './request-log.js';

function logged(log: RequestLog, body: unknown, endpoint = 'users/bulkUpdate', at = 0) {
  const entry = log.add({ at, method: 'POST', endpoint, path: `/api/${endpoint}` });
  log.keepBody(entry, JSON.stringify(body));
  return entry;
}

describe('RequestLog', () => {
  it('finds a user by email in any case, by user id, and in dataFields, and shows the entries', () => {
    const log = new RequestLog();
    const ada = { email: 'Ada@Example.com', dataFields: { A: 1 } };
    const moved = { userId: 'u1', dataFields: { email: 'ada@example.com' } };
    logged(log, { users: [ada, { email: 'bob@example.com' }] });
    logged(log, { users: [moved] });
    logged(log, { currentEmail: 'ada@example.com', newEmail: 'ada2@example.com' }, 'users/updateEmail');
    expect(log.list({ email: 'ada@example.com' }).map((one) => [one.number, one.entries])).toEqual([
      [1, [ada]],
      [2, [moved]],
      [3, [{ currentEmail: 'ada@example.com', newEmail: 'ada2@example.com' }]],
    ]);
    expect(log.list({ userId: 'u1' }).map((one) => one.number)).toEqual([2]);
    expect(log.list({ email: 'da@example.com' })).toEqual([]);
  });

  it('finds a user whose email is escaped in the body', () => {
    const log = new RequestLog();
    const entry = log.add({ at: 0, method: 'POST', endpoint: 'users/update', path: '/api/users/update' });
    log.keepBody(entry, '{"email":"ad\\u0061@example.com"}');
    expect(log.list({ email: 'ada@example.com' })).toHaveLength(1);
  });

  it('filters by number, time, endpoint and takes the last of them', () => {
    const log = new RequestLog();
    for (const at of [10, 20, 30]) logged(log, { users: [] }, 'users/bulkUpdate', at);
    logged(log, { email: 'x' }, 'users/update', 40);
    expect(log.list({ after: 1 }).map((one) => one.number)).toEqual([2, 3, 4]);
    expect(log.list({ since: 20, endpoint: 'users/bulkUpdate' }).map((one) => one.at)).toEqual([20, 30]);
    expect(log.list({ limit: 1 }).map((one) => one.number)).toEqual([4]);
    expect(log.list({ after: 1, limit: 2 }).map((one) => one.number)).toEqual([2, 3]);
    expect(log.list({ after: 3, limit: 2 }).map((one) => one.number)).toEqual([4]);
    expect(log.total).toBe(4);
  });

  it('keeps a bounded number of requests and of body bytes, the latest ones', () => {
    const log = new RequestLog();
    const big = 'x'.repeat(9 * 1024 * 1024);
    for (let n = 0; n < 5; n += 1) logged(log, { users: [{ email: `u${n}@example.com`, dataFields: { big } }] });
    expect(log.list({ email: 'u0@example.com' })).toEqual([]);
    expect(log.list({ email: 'u4@example.com' })).toHaveLength(1);
    for (let n = 0; n < 115_000; n += 1) log.add({ at: n, method: 'POST', endpoint: 'e', path: '/e' });
    const kept = log.list();
    expect(kept.length).toBeGreaterThanOrEqual(100_000);
    expect(kept.length).toBeLessThanOrEqual(110_000);
    expect(kept.at(-1)?.number).toBe(115_005);
  });

  it('can be read whole, page by page, while it grows', () => {
    const log = new RequestLog();
    const grow = (count: number) => {
      for (let n = 0; n < count; n += 1) {
        log.add({ at: n, method: n % 10 === 0 ? 'GET' : 'POST', endpoint: 'e', path: '/e' });
      }
    };
    grow(30_000);
    const numbers: number[] = [];
    for (;;) {
      const read = log.list({ after: numbers.at(-1) ?? 0, limit: 4_000, writes: true });
      numbers.push(...read.map((one) => one.number));
      if (read.length < 4_000) break;
      if (numbers.length < 20_000) grow(100);
    }
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers).toHaveLength(Math.ceil(log.total * 0.9));
  });
});
