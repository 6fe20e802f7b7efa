import { afterEach, describe, expect, it, vi } from 'vitest';
import { toRecordId, topics, type DeadLetter, type RecordChange } from '@libs/contracts';
import { decode, LogUnavailableError, type EmbeddedLog } from '@libs/event-log';
import { begin, closeAll, drain, end, FakeOrg, newLog, published, statuses, toId } from '../test/stage.js';
import { MAX_WAITING_IDS } from './room.js';

afterEach(closeAll);

const CUSTOM = toRecordId('a0B5f00000abcde') as string;

async function bury(log: EmbeddedLog, letters: ReadonlyArray<Partial<DeadLetter>>): Promise<void> {
  const values = letters.map((over, n) => ({
    recordType: 'Lead',
    recordId: toId(n),
    offsets: [`0:${n}`],
    jobIds: [],
    stage: 'writer' as const,
    code: 'iterable.invalid_email',
    message: 'no address',
    attempts: 1,
    firstTime: 1_000,
    lastTime: 1_000,
    ...over,
  }));
  await log.append(values.map((value, n) => ({ topic: topics.deadLetters, key: value.recordId ?? `x:0:${n}`, value })));
}

const malformed = {
  recordType: undefined,
  recordId: undefined,
  offsets: [],
  stage: 'decode' as const,
  code: 'event-log.malformed_message',
};
const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const redrive = (id: string, data: Record<string, unknown> = { codes: ['iterable.invalid_email'] }) => ({
  id,
  type: 'dead-letters.redrive',
  data,
});

async function changes(log: EmbeddedLog): Promise<RecordChange[]> {
  const found: RecordChange[] = [];
  for await (const records of log.read(topics.changes, { untilEnd: true })) {
    for (const { value } of records) {
      const decoded = decode(topics.changes, value);
      if (decoded.ok) found.push(decoded.value);
    }
  }
  return found;
}

describe('a redrive', () => {
  it('sends each record of the letters once, as a reference, and completes when each has its outcome', async () => {
    const log = await newLog();
    await bury(log, [{}, {}, { recordId: toId(0), code: 'mapping.type_mismatch' }, { recordId: toId(0) }, malformed]);
    await drain(log, ({ recordId }) =>
      recordId === toId(1) ? { kind: 'dead', reason: 'iterable.invalid_email' } : { kind: 'written' },
    );
    await begin(log, new FakeOrg(0)).session.command(redrive('r'));
    await end(log, 'r').toBe('completed');
    expect((await changes(log)).toSorted((a, b) => a.recordId.localeCompare(b.recordId))).toEqual(
      [toId(0), toId(1)].map((recordId) => ({
        recordType: 'Lead',
        recordId,
        changeType: 'SNAPSHOT',
        source: 'redrive',
        lane: 'backfill',
        commitTimestamp: expect.any(Number),
        jobId: 'r',
      })),
    );
    const [accepted, ...rest] = await statuses(log, 'r');
    expect(accepted).toMatchObject({
      type: 'accepted',
      by: 'backfill',
      data: { redrive: { codes: ['iterable.invalid_email'], letters: 3, noRecord: 0 }, total: 2 },
    });
    expect(rest.at(-1)).toMatchObject({
      type: 'completed',
      data: { queried: 2, enqueued: 2, total: 2, written: 1, dead: 1, reasons: { 'iterable.invalid_email': 1 } },
    });
  });

  it('says how many letters name no record, and keeps the object of a custom one', async () => {
    const log = await newLog();
    const lost = { ...malformed, code: 'iterable.invalid_email' };
    await bury(log, [{ recordType: 'Invoice__c', recordId: CUSTOM }, lost, { ...lost, lastTime: 2_000 }]);
    await drain(log, () => ({ kind: 'written' }));
    await begin(log, new FakeOrg(0)).session.command(redrive('r'));
    await end(log, 'r').toBe('completed');
    expect(await changes(log)).toMatchObject([{ recordId: CUSTOM, recordType: 'Invoice__c' }]);
    expect((await statuses(log, 'r')).at(-1)?.data).toMatchObject({
      total: 1,
      reasons: { 'backfill.no_record': 2 },
      summary: 'completed, 1 written, 0 skipped, 0 dead, 2 dead letters name no record',
    });
  });

  it.each([
    ['code', { codes: ['mapping.type_mismatch'] }, [1]],
    ['object', { objects: ['Contact'] }, [2]],
    ['id', { ids: [toId(0), toId(3)] }, [0, 3]],
    ['time', { from: '1970-01-01T00:00:05Z', to: '1970-01-01T00:00:06Z' }, [3]],
    ['all of them', { codes: ['iterable.invalid_email'], objects: ['Lead'], to: '1970-01-01T00:00:05Z' }, [0]],
    ['nothing that is there', { codes: ['iterable.forgotten'] }, []],
  ])('takes letters by %s', async (_, data, expected) => {
    const log = await newLog();
    await bury(log, [
      {},
      { code: 'mapping.type_mismatch' },
      { recordType: 'Contact', code: 'mapping.unknown_field' },
      { lastTime: 5_000 },
    ]);
    await drain(log, () => ({ kind: 'written' }));
    await begin(log, new FakeOrg(0)).session.command(redrive('r', data));
    await end(log, 'r').toBe('completed');
    expect((await published(log)).toSorted()).toEqual(expected.map(toId));
  });

  it('leaves letters of later alone, also those of its own records that fail again', async () => {
    const log = await newLog();
    await bury(
      log,
      times(2_500, () => ({})),
    );
    const { session } = begin(log, new FakeOrg(0));
    await session.command(redrive('r'));
    await bury(
      log,
      times(2_600, () => ({})),
    );
    await drain(log, () => ({ kind: 'dead', reason: 'iterable.invalid_email' }));
    await end(log, 'r').toBe('completed');
    expect(await published(log)).toHaveLength(2_500);
  });

  it('does the work of one command id once, whatever is asked for the second time', async () => {
    const log = await newLog();
    await bury(log, [{}, {}]);
    await drain(log, () => ({ kind: 'written' }));
    const { session } = begin(log, new FakeOrg(0));
    await session.command(redrive('r'));
    await end(log, 'r').toBe('completed');
    await session.command(redrive('r', { objects: ['Lead'] }));
    expect((await statuses(log, 'r')).at(-1)).toMatchObject({ type: 'accepted', data: { duplicate: true } });
    expect(await published(log)).toHaveLength(2);
  });

  it('keeps room in the first topic, and goes on where it was with another owner: each record once', async () => {
    const log = await newLog();
    // Every record has two letters far apart, so that what was read before the restart must be known after it.
    await bury(log, [
      ...times(12_000, (n) => ({ recordId: toId(n) })),
      ...times(14_000, (n) => ({ recordId: toId(n) })),
    ]);
    const first = begin(log, new FakeOrg(0));
    await first.session.command(redrive('r'));
    await expect.poll(async () => (await published(log)).length, { timeout: 20_000 }).toBe(MAX_WAITING_IDS);
    first.end();
    await drain(log, () => ({ kind: 'written' }));
    begin(log, new FakeOrg(0));
    await end(log, 'r').toBe('completed');
    const ids = await published(log);
    expect([ids.length, new Set(ids).size]).toEqual([14_000, 14_000]);
    expect((await statuses(log, 'r')).at(-1)?.data).toMatchObject({ queried: 14_000, total: 14_000, written: 14_000 });
  });

  it('goes on after a failure of the log in the middle of a page, and skips nobody', async () => {
    const log = await newLog();
    await bury(
      log,
      times(5_000, (n) => ({ recordId: toId(n) })),
    );
    const { session } = begin(log, new FakeOrg(0));
    const read = log.read.bind(log);
    let reads = 0;
    vi.spyOn(log, 'read').mockImplementation(async function* (topic, options) {
      const fails = topic.name === topics.deadLetters.name && [2, 3].includes((reads += 1));
      for await (const records of read(topic, options)) {
        yield records;
        if (fails) throw new LogUnavailableError('gone for a moment');
      }
    });
    await drain(log, () => ({ kind: 'written' }));
    await session.command(redrive('r'));
    await end(log, 'r').toBe('completed');
    expect(reads).toBeGreaterThan(4);
    const ids = await published(log);
    expect([ids.length, new Set(ids).size]).toEqual([5_000, 5_000]);
  });

  it('goes before an ordinary backfill, and waits for no more than a page of it', async () => {
    const log = await newLog();
    await bury(log, [{ recordType: 'Contact', recordId: '0035f00002EztxDAAR' }]);
    const { session } = begin(log, new FakeOrg(14_000));
    await session.command({ id: 'ordinary', type: 'backfill.start', data: { object: 'Lead' } });
    await expect.poll(async () => (await published(log)).length, { timeout: 20_000 }).toBe(MAX_WAITING_IDS);
    await session.command(redrive('r'));
    await drain(log, () => ({ kind: 'written' }));
    await end(log, 'ordinary').toBe('completed');
    const ended = async (id: string) => (await statuses(log, id)).find(({ type }) => type === 'completed')?.time ?? NaN;
    expect(await ended('r')).toBeLessThanOrEqual(await ended('ordinary'));
    const offsets = (await changes(log)).map(({ jobId }) => jobId);
    expect(offsets.filter((jobId) => jobId === 'r')).toHaveLength(1);
  });
});

describe('commands about dead letters', () => {
  it('are refused with the reason, and do nothing', async () => {
    const log = await newLog();
    await bury(log, [{}]);
    const { session } = begin(log, new FakeOrg(0));
    const wrong: ReadonlyArray<readonly [type: string, data: Record<string, unknown>, reason: string]> = [
      ['dead-letters.redirve', { codes: ['x'] }, 'unknown command type "dead-letters.redirve"'],
      ['dead-letters.redrive', {}, 'say which'],
      ['dead-letters.redrive', { ids: ['00Q'] }, 'data.ids.0: not an 18-character'],
      ['dead-letters.redrive', { codes: 'iterable.invalid_email' }, 'data.codes: '],
      ['dead-letters.redrive', { from: 'now' }, 'data.from: '],
      ['dead-letters.redrive', { everything: true }, 'Unrecognized key: "everything"'],
      ['dead-letters.continue', { minutes: 1.5 }, 'data.minutes: '],
      ['dead-letters.continue', { minutes: 100_000 }, 'data.minutes: '],
    ];
    for (const [n, [type, data, reason]] of wrong.entries()) {
      await session.command({ id: `wrong-${n}`, type, data });
      expect(await statuses(log, `wrong-${n}`)).toMatchObject([
        { type: 'rejected', data: { command: type, reason: expect.stringContaining(reason) } },
      ]);
    }
    expect(await published(log)).toEqual([]);
  });

  it('let a safety stop go on: the answer says for how long, and no job is made of it', async () => {
    const log = await newLog();
    const { session } = begin(log, new FakeOrg(0));
    await session.command({ id: 'c', type: 'dead-letters.continue', data: {} });
    expect(await statuses(log, 'c')).toMatchObject([
      { type: 'accepted', data: { command: 'dead-letters.continue', minutes: 10 } },
    ]);
    expect(await statuses(log, 'c')).toHaveLength(1);
  });
});
