import { topics } from '@libs/contracts';
import { LogUnavailableError, type EventLog, type LogRecord, type ReadOptions } from '@libs/event-log';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Ends } from '../core/positions.js';
import { TopicCursor } from './topic-cursor.js';

/** Offsets that exist, by partition. */
let kept: number[][];
let reads: Array<ReadOptions['from']>;
let failsAfter: number;
let taken: string[];
const signal = new AbortController().signal;

const toRecord = (partition: number, offset: number): LogRecord => ({
  topic: topics.changes.name,
  partition,
  offset,
  key: '',
  value: null,
  headers: {},
  timestampMs: 0,
});

/** Two records at a time. */
const log: Pick<EventLog, 'read'> = {
  async *read(_topic, { from = {} } = {}) {
    reads.push(from);
    for (const [partition, offsets] of kept.entries()) {
      const wanted = offsets.filter((offset) => offset >= (from[partition] ?? 0));
      for (let at = 0; at < wanted.length; at += 2) {
        if (failsAfter-- === 0) throw new LogUnavailableError('away');
        yield wanted.slice(at, at + 2).map((offset) => toRecord(partition, offset));
      }
    }
  },
};
const ends = (...nexts: number[]): Ends => new Map(nexts.map((next, partition) => [partition, { earliest: 0, next }]));
const at = (...offsets: number[]) => new Map(offsets.map((offset, partition) => [partition, offset]));
const readTo = async (cursor: TopicCursor, to: Ends) => {
  taken = [];
  await cursor.readTo(to, (records) => taken.push(...records.map((one) => `${one.partition}:${one.offset}`)), signal);
  return taken;
};

beforeEach(() => {
  kept = [
    [0, 1, 2, 3],
    [0, 1, 2, 5],
  ];
  reads = [];
  failsAfter = -1;
});

describe('a cursor', () => {
  it('reads to the ends and no further, and then on from there', async () => {
    const cursor = new TopicCursor(log, topics.changes, at(1, 0));
    expect(await readTo(cursor, ends(3, 1))).toEqual(['0:1', '0:2', '1:0']);
    expect(await readTo(cursor, ends(4, 3))).toEqual(['0:3', '1:1', '1:2']);
  });

  it('asks for nothing when it is at the ends, though no message stands right before them', async () => {
    const cursor = new TopicCursor(log, topics.changes, at(0, 0));
    await readTo(cursor, ends(4, 8));
    expect(reads).toHaveLength(1);
    expect(await readTo(cursor, ends(4, 8))).toEqual([]);
    expect(reads).toHaveLength(1);
  });

  it('goes on from where the log failed', async () => {
    failsAfter = 1;
    const cursor = new TopicCursor(log, topics.changes, at(0, 0));
    await expect(readTo(cursor, ends(4, 0))).rejects.toThrow('away');
    expect(taken).toEqual(['0:0', '0:1']);
    expect(await readTo(cursor, ends(4, 0))).toEqual(['0:2', '0:3']);
  });

  it('passes over what is done, and reads again what a position was moved back to', async () => {
    const cursor = new TopicCursor(log, topics.changes, at());
    cursor.moveTo(at(2, 0));
    expect(await readTo(cursor, ends(4, 1))).toEqual(['0:2', '0:3', '1:0']);
    cursor.moveTo(at(3, 1)); // within what was read
    expect(await readTo(cursor, ends(4, 1))).toEqual([]);
    cursor.moveTo(at(1, 1));
    expect(await readTo(cursor, ends(4, 1))).toEqual(['0:1', '0:2', '0:3']);
  });

  it.each([
    ['retention passed it', { earliest: 3, next: 9 }, true],
    ['retention came up to it', { earliest: 2, next: 9 }, false],
    ['nothing is new', { earliest: 0, next: 2 }, false],
    ['the log began anew', { earliest: 0, next: 1 }, true],
  ])('is cut off or not: %s', (_, end, isCutOff) => {
    expect(new TopicCursor(log, topics.changes, at(2)).isCutOff(new Map([[0, end]]))).toBe(isCutOff);
  });
});
