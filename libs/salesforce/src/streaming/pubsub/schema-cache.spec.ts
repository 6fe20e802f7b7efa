import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { LEAD_SCHEMA, refusal } from '../../../test/pubsub-fake.js';
import { SchemaCache } from './schema-cache.js';

const good = { schemaId: 'a', schemaJson: JSON.stringify(LEAD_SCHEMA) };
const notFound = refusal(status.NOT_FOUND, 'schema.notfound');

/** Answers one after the other, the last one again and again. */
function loader(...answers: readonly object[]) {
  let asked = 0;
  return vi.fn(async (): Promise<typeof good> => {
    const answer = answers[Math.min(asked, answers.length - 1)] as typeof good;
    asked += 1;
    if ('code' in answer) throw answer;
    return answer;
  });
}

function setup() {
  const waits: number[] = [];
  const wait = async (ms: number) => void waits.push(ms);
  return { cache: new SchemaCache({ delaysMs: [10, 20], forgetMs: 1_000 }), waits, wait };
}

describe('SchemaCache', () => {
  it('asks once for each schema', async () => {
    const { cache, wait, waits } = setup();
    const load = loader(good);
    expect(cache.known('a')).toBeNull();
    expect((await cache.get('a', load, wait)).kind).toBe('schema');
    expect((await cache.get('a', load, wait)).kind).toBe('schema');
    expect(cache.known('a')).not.toBeNull();
    expect(load.mock.calls).toEqual([['a']]);
    expect(waits).toEqual([]);
  });

  it('asks a few times for a schema that is not known yet', async () => {
    const { cache, wait, waits } = setup();
    expect((await cache.get('a', loader(notFound, notFound, good), wait)).kind).toBe('schema');
    expect(waits).toEqual([10, 20]);
  });

  it.each([
    ['is not known', notFound, 'schema a: no'],
    ['is no schema', { ...good, schemaJson: '{}' }, 'schema a: '],
  ])('gives up on a schema that %s, for a while', async (_what, answer, detail) => {
    vi.useFakeTimers();
    const { cache, wait } = setup();
    const load = loader(answer, answer, answer, good);
    const verdict = await cache.get('a', load, wait);
    expect(verdict).toMatchObject({ kind: 'unreadable', detail: expect.stringContaining(detail) });
    expect(await cache.get('a', load, wait)).toEqual(verdict);
    expect(load).toHaveBeenCalledTimes(3);
    vi.advanceTimersByTime(1_001);
    expect((await cache.get('a', load, wait)).kind).toBe('schema');
    vi.useRealTimers();
  });

  it.each([
    ['an outage', refusal(status.UNAVAILABLE, '')],
    ['a refused session', refusal(status.UNAUTHENTICATED, 'service.auth.error')],
    ['a late answer', refusal(status.DEADLINE_EXCEEDED, '')],
  ])('holds %s against nobody', async (_what, failure) => {
    const { cache, wait, waits } = setup();
    await expect(cache.get('a', loader(failure), wait)).rejects.toBe(failure);
    expect(waits).toEqual([]);
    expect((await cache.get('a', loader(good), wait)).kind).toBe('schema');
  });
});
