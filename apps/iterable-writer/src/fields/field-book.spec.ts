import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { topics, type ProfileSchema, type UserUpdate } from '@libs/contracts';
import { LogUnavailableError, type LogRecord } from '@libs/event-log';
import { EndpointPace, RateLimiter, type HttpAnswer, type IterableApi, type ProfileCalls } from '@libs/iterable';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { FieldBook, type FieldBookOptions } from './field-book.js';
import { Gate } from '../gate.js';
import type { Sending } from '../piece.js';

const SEED_EMAIL = 'salesforce-iterable-sync.field-types@placeholder.email';
const schema: ProfileSchema = {
  object: 'Lead',
  mappingVersion: 'v1',
  fields: { Revenue: { type: 'double' }, Zip: { type: 'long' }, 'Name.First': { type: 'string' } },
};

let list: Record<string, string>;
let published: Record<string, ProfileSchema>;
let bodies: Array<{ users: Array<{ email: string; dataFields: object }>; createNewFields?: boolean }>;
let deleted: unknown[];
let answers: HttpAnswer[];
let listAnswers: HttpAnswer[];
let logFails: number;
let health: Health;
let book: FieldBook;
let gate: Gate;
let lists: number;
let cutOff: boolean;

const answer = (status: number, body: unknown): HttpAnswer => ({
  status,
  headers: {},
  text: JSON.stringify(body),
  receivedAtMs: 0,
});
const warning = () => health.report().checks.find(({ name }) => name === 'iterable-fields');

function make(options: Partial<FieldBookOptions> = {}): FieldBook {
  const parts = { metrics: createMetrics(), health, logger: createLogger('test', 'silent') };
  const client = {
    getFields: () => {
      lists += 1;
      return Promise.resolve(listAnswers.shift() ?? answer(200, { fields: list }));
    },
    bulkUpdateUsers: (body: string) => {
      const request = JSON.parse(body) as (typeof bodies)[number];
      bodies.push(request);
      return Promise.resolve(
        answers.shift() ?? answer(200, { successCount: 1, failCount: 0, createdFields: ['Revenue'] }),
      );
    },
  };
  const log = {
    async *read(): AsyncGenerator<LogRecord[]> {
      if (logFails-- > 0) throw new LogUnavailableError('down');
      await Promise.resolve();
      yield Object.entries(published).map(([key, value], offset) => ({
        ...({ topic: topics.schemas.name, partition: 0, headers: {}, timestampMs: 0 } as LogRecord),
        key,
        offset,
        value: JSON.stringify(value),
      }));
    },
  };
  const calls = {
    run: (call: unknown) => {
      deleted.push(call);
      return Promise.resolve({ kind: 'done' });
    },
  };
  gate = new Gate(new RateLimiter(100, () => Date.now()), { ...parts, cutOff: () => cutOff });
  return new FieldBook(
    {
      ...parts,
      log,
      client: client as unknown as IterableApi,
      pace: new EndpointPace({ clock: () => Date.now() }),
      calls: calls as unknown as ProfileCalls,
      gate,
    },
    { projectType: 'email', newFields: 'project', seed: true, settleMs: 60_000, ...options },
  );
}

const named = (id?: string) => [{ kind: 'update', schema: id } as unknown as UserUpdate];

/** Prepares messages of a schema, letting time pass. */
async function prepare(id?: string, of = book): Promise<void> {
  const prepared = of.prepare(named(id), new AbortController().signal);
  await vi.advanceTimersByTimeAsync(50_000);
  await prepared;
}

beforeEach(() => {
  vi.useFakeTimers();
  list = { 'Name.First': 'string' };
  published = { s1: schema };
  bodies = [];
  deleted = [];
  answers = [];
  listAnswers = [];
  logFails = 0;
  lists = 0;
  cutOff = false;
  health = new Health();
  book = make();
});

afterEach(() => {
  book.stop();
  vi.useRealTimers();
});

describe('the field book', () => {
  it('gives new fields their types before their first values, once, by a profile that is deleted again', async () => {
    await Promise.all([prepare('s1'), prepare('s1')]);
    await prepare('s1');
    expect(bodies).toEqual([
      { users: [{ email: SEED_EMAIL, mergeNestedObjects: true, dataFields: { Revenue: 0.5, Zip: 1 } }] },
    ]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(deleted).toEqual([{ kind: 'delete', profile: { email: SEED_EMAIL } }]);
    expect(book.encode({ Revenue: 1000 }, 's1')).toBe('{"Revenue":1000.0}');
  });

  it('says which fields are to be made, where the setting does', async () => {
    await prepare('s1', make({ newFields: 'create' }));
    expect(bodies.map(({ createNewFields }) => createNewFields)).toEqual([true]);
    expect(make({ newFields: 'create' }).createNewFields).toBe(true);
    expect(make({ newFields: 'drop' }).createNewFields).toBe(false);
    expect(make().createNewFields).toBeUndefined();
  });

  it.each<[string, Partial<FieldBookOptions>]>([
    ['is told not to', { seed: false }],
    ['makes no new fields', { newFields: 'drop' }],
  ])('plants nothing where it %s', async (_, options) => {
    const other = make(options);
    await prepare('s1', other);
    expect(bodies).toEqual([]);
    expect(other.encode({ Revenue: 1000 }, 's1')).toBe('{"Revenue":1000.0}');
  });

  it('plants nothing where all is there, and says where a type is another', async () => {
    list = { Revenue: 'long', Zip: 'string', 'Name.First': 'string' };
    await prepare('s1');
    expect(bodies).toEqual([]);
    expect(warning()).toMatchObject({ ok: true, warning: true, detail: expect.stringContaining('Revenue, Zip') });
    expect(book.encode({ Revenue: 1000, Zip: 12 }, 's1')).toBe('{"Revenue":1000,"Zip":"12"}');
  });

  it('waits for Iterable and for the log, and is not ready meanwhile', async () => {
    logFails = 2;
    listAnswers = [answer(503, {}), answer(500, {})];
    answers = [answer(500, {}), answer(429, { code: 'RateLimitExceeded', params: { rateLimitReset: 1 } })];
    const prepared = book.prepare(named('s1'), new AbortController().signal);
    await vi.advanceTimersByTimeAsync(10);
    expect(health.ready).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    await prepared;
    expect(health.ready).toBe(true);
    expect(bodies).toHaveLength(3);
  });

  it.each([
    [403, 'Forbidden'],
    [400, 'BadParams'],
  ])('does without a list that may not be read (%i), and says so', async (status, code) => {
    listAnswers = Array.from({ length: 9 }, () => answer(status, { code }));
    await prepare('s1');
    expect(warning()).toMatchObject({ ok: true, warning: true, detail: expect.stringContaining('cannot be read') });
  });

  it('goes on when nobody published the schema, or Iterable does not take the values', async () => {
    await prepare('s9');
    expect(warning()?.detail).toContain('nobody published');
    answers = [answer(400, { code: 'BadParams' })];
    await prepare('s1');
    expect(bodies).toHaveLength(1);
    expect(deleted).toEqual([]);
  });

  it('is broken off with its partition', async () => {
    listAnswers = Array.from({ length: 9 }, () => answer(503, {}));
    const lost = new AbortController();
    const prepared = book.prepare(named('s1'), lost.signal);
    await vi.advanceTimersByTimeAsync(5_000);
    lost.abort(new Error('lost'));
    await expect(prepared).rejects.toThrow('lost');
    expect(health.ready).toBe(true);
    // The next owner's are prepared all the same
    listAnswers = [];
    await prepare('s1');
    expect(bodies).toHaveLength(1);
  });

  it('does not wait for a list that is only to convert values', async () => {
    listAnswers = Array.from({ length: 9 }, () => answer(503, {}));
    const prepared = make({ seed: false })
      .prepare(named('s1'), new AbortController().signal)
      .then(() => 'gone on');
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(Promise.race([prepared, Promise.resolve('waits')])).resolves.toBe('gone on');
    expect(health.ready).toBe(true);
  });

  it('gives up a seed that alone gets no answer, and no other', async () => {
    answers = Array.from({ length: 20 }, () => answer(500, {}));
    const others = setInterval(() => gate.answered(), 10);
    await prepare('s1');
    clearInterval(others);
    expect(bodies).toHaveLength(5);
    expect(health.ready).toBe(true);
  });

  it('plants nothing while the partitions may be another’s', async () => {
    cutOff = true;
    const prepared = book.prepare(named('s1'), new AbortController().signal);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(bodies).toEqual([]);
    cutOff = false;
    await vi.advanceTimersByTimeAsync(1_000);
    await prepared;
    expect(bodies).toHaveLength(1);
  });

  it('clears up after itself also where it was a standby before', async () => {
    book.stop();
    book.start();
    await prepare('s1');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(deleted).toHaveLength(1);
  });

  it('reads the list once for many refusals at a time, and holds nobody up who waits for it', async () => {
    await prepare('s1');
    lists = 0;
    const { signal } = new AbortController();
    const many = () => Promise.all(Array.from({ length: 16 }, () => book.repair([], [], signal)));
    await Promise.all([many(), vi.advanceTimersByTimeAsync(500)]);
    expect(lists).toBe(1);
    await Promise.all([many(), vi.advanceTimersByTimeAsync(1_000)]);
    expect(lists).toBe(2);
    // Its endpoint is held for a minute
    listAnswers = [answer(429, { code: 'RateLimitExceeded', params: { rateLimitReset: 60 } })];
    await Promise.all([vi.advanceTimersByTimeAsync(3_000).then(many), vi.advanceTimersByTimeAsync(5_000)]);
    const held = many().then(() => 'gone on');
    await vi.advanceTimersByTimeAsync(4_500);
    await expect(Promise.race([held, Promise.resolve('waits')])).resolves.toBe('gone on');
    expect(lists).toBe(3);
  });

  it('names fields that Iterable leaves out, and asks for the list when fields were made', async () => {
    list = { Revenue: 'double', Zip: 'long', 'Name.First': 'string' };
    await prepare('s1');
    book.noticed({ createdFields: [], filteredOutFields: ['Shoe.Size'] });
    expect(warning()?.detail).toContain('Shoe.Size');
    list = { ...list, Revenue: 'string' };
    await vi.advanceTimersByTimeAsync(10_000);
    book.noticed({ createdFields: ['Other'], filteredOutFields: [] });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(book.encode({ Revenue: 1.5 }, 's1')).toBe('{"Revenue":"1.5"}');
  });

  it('warns of a project that is nearly full', async () => {
    list = Object.fromEntries(Array.from({ length: 950 }, (_, n) => [`f${n}`, 'string']));
    await prepare('s1');
    expect(warning()?.detail).toContain('950 of 1000');
  });

  it('remembers a type that it learned, also when the list says the same and no mapping means one', async () => {
    list = { Code: 'string' };
    published = {};
    await prepare('s1');
    expect(book.encode({ Code: 5 }, 's1')).toBe('{"Code":5}');
    const sending = {
      entry: { message: { kind: 'update', schema: 's1', recordId: 'a' }, fields: '{"Code":5}' },
      lane: 'backfill',
      decision: { steps: [{ kind: 'write', on: { email: 'a@x.io' } }] },
      course: null,
    } as unknown as Sending;
    // As for a user in a 200, where nothing is named
    const repaired = await book.repair([sending], [], new AbortController().signal);
    expect(repaired.get(sending)?.json).toContain('"Code":"5"');
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(book.encode({ Code: 5 }, 's1')).toBe('{"Code":"5"}');
  });

  it('learns from a refusal, and mends those whose values can be converted', async () => {
    list = { Revenue: 'double', Zip: 'long', 'Name.First': 'string' };
    await prepare('s1');
    const sending = (fields: string): Sending =>
      ({
        entry: { message: { kind: 'update', schema: 's1', recordId: 'a' }, fields },
        lane: 'backfill',
        decision: { steps: [{ kind: 'write', on: { email: 'a@x.io' } }] },
        course: null,
      }) as unknown as Sending;
    const given = [sending('{"Zip":12}'), sending('{"Zip":"A"}'), sending('{"Revenue":1.0}')];
    const { signal } = new AbortController();
    const repaired = await book.repair(given, [{ field: 'Zip', expected: 'string' }], signal);
    expect([...repaired].map(([was, is]) => [given.indexOf(was), JSON.parse(is.json)])).toEqual([
      [0, { email: 'a@x.io', mergeNestedObjects: true, dataFields: { Zip: '12' } }],
    ]);
    expect(book.encode({ Zip: 7 }, 's1')).toBe('{"Zip":"7"}');
  });
});
