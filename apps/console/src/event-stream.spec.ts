import { EventEmitter } from 'node:events';
import type { Outcome, Status } from '@libs/contracts';
import type { Response } from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConsoleModel } from './console.model.js';
import { EventStream } from './event-stream.js';

/** A client that may stop reading. */
class FakeResponse extends EventEmitter {
  writableNeedDrain = false;
  writableEnded = false;
  readonly written: string[] = [];
  status() {
    return this;
  }
  set() {
    return this;
  }
  flushHeaders() {}
  write(text: string) {
    this.written.push(text);
  }
  end() {
    this.writableEnded = true;
    this.emit('close');
  }
  get types() {
    return this.written.map((text) => /^event: (\w+)/.exec(text)?.[1]);
  }
}

const status: Status = { id: 'j', type: 'progress', data: {}, time: 1, by: 'backfill' };
const outcomes = (n: number): Outcome[] =>
  Array.from({ length: n }, (_, index) => ({
    offsets: [`0:${index}`],
    jobIds: [],
    lane: 'realtime',
    kind: 'written',
    time: 1,
  }));

let model: ConsoleModel;
let response: FakeResponse;
const open = (...types: Array<'overview' | 'status' | 'outcomes'>) =>
  new EventStream(response as unknown as Response, model, types);

beforeEach(() => {
  vi.useFakeTimers();
  model = new ConsoleModel(120_000);
  response = new FakeResponse();
});
afterEach(() => vi.useRealTimers());

describe('EventStream', () => {
  it('skips overviews while the client does not read', () => {
    open('overview');
    response.writableNeedDrain = true;
    vi.advanceTimersByTime(10_000);
    expect(response.types).toEqual(['overview']);
    response.writableNeedDrain = false;
    vi.advanceTimersByTime(1_000);
    expect(response.types).toEqual(['overview', 'overview']);
  });

  it('counts outcomes that it leaves out, and keeps no more than it may', () => {
    open('outcomes');
    response.writableNeedDrain = true;
    for (let n = 0; n < 50; n += 1) model.outcomes(outcomes(1_000));
    vi.advanceTimersByTime(1_000);
    response.writableNeedDrain = false;
    vi.advanceTimersByTime(250);
    const [, data = ''] = /data: (.*)/.exec(response.written[0] ?? '') ?? [];
    const { items, omitted } = JSON.parse(data) as { items: unknown[]; omitted: number };
    expect([items.length, omitted]).toEqual([200, 49_800]);
  });

  it('ends when a status message would be lost, so that the client comes again', () => {
    open('status');
    model.status(status);
    expect(response.types).toEqual(['status']);
    response.writableNeedDrain = true;
    model.status(status);
    expect(response.writableEnded).toBe(true);
  });

  it('sends nothing that was not asked for, and a sign of life', () => {
    open('status');
    model.outcomes(outcomes(1));
    vi.advanceTimersByTime(15_000);
    expect(response.types).toEqual(['ping']);
  });

  it('stops all when the client leaves', () => {
    open('overview', 'status', 'outcomes');
    response.emit('close');
    const before = response.written.length;
    model.status(status);
    vi.advanceTimersByTime(60_000);
    expect(response.written).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });
});
