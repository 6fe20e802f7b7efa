import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Topic } from '@libs/contracts';
import { z } from 'zod';
import { createEmbeddedLog } from '../embedded/embedded-log.js';
import { createKafkaLog } from '../kafka/kafka-log.js';
import type { EventLog, LogRecord } from '../port.js';

/** Where a log is, so that a child process can open the same. */
export type Place =
  | { readonly kind: 'embedded'; readonly dataDir: string }
  | { readonly kind: 'kafka'; readonly brokers: string; readonly prefix: string };

export interface OpenOptions {
  readonly partitions?: number;
  readonly sessionTimeoutMs?: number;
  readonly clientId?: string;
  readonly compression?: 'none' | 'gzip';
}

/** Two seconds: short enough to outlast in a test, long enough for a busy machine. */
export const SESSION_MS = 2_000;

export function openLog(place: Place, options: OpenOptions = {}): EventLog {
  const common = { partitions: 3, sessionTimeoutMs: SESSION_MS, ...options };
  if (place.kind === 'embedded') return createEmbeddedLog({ ...common, dataDir: place.dataDir });
  return createKafkaLog({ ...common, brokers: place.brokers.split(','), prefix: place.prefix });
}

/** A log of its own for one test, with as many members as wanted; all closed and removed at the end. */
export interface Scene {
  readonly place: Place;
  readonly log: EventLog;
  open(options?: OpenOptions): EventLog;
  end(): Promise<void>;
}

export function makeScene(kind: Place['kind'], brokers: string, options: OpenOptions = {}): Scene {
  const dataDir = mkdtempSync(join(tmpdir(), 'event-log-'));
  const place: Place =
    kind === 'embedded' ? { kind, dataDir } : { kind, brokers, prefix: `t${randomUUID().slice(0, 8)}.` };
  const logs: EventLog[] = [];
  const open = (more: OpenOptions = {}) => {
    const log = openLog(place, { ...options, ...more });
    logs.push(log);
    return log;
  };
  return {
    place,
    log: open(),
    open,
    async end() {
      await Promise.all(logs.map((log) => log.close()));
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export interface Note {
  readonly n: number;
  readonly pad?: string;
}

/** A topic as in libs/contracts, for one test. */
export function makeTopic(more: Partial<Topic<Note>> = {}): Topic<Note> {
  return {
    name: 'test.notes.v1',
    schema: z.object({ n: z.number(), pad: z.string().optional() }),
    type: 'test.note',
    key: 'anything',
    about: 'for tests',
    policy: { cleanup: 'delete', retentionMs: 3_600_000 },
    partitions: 'scaled',
    ...more,
  };
}

export const notes = (topic: Topic<Note>, count: number, keyOf = (n: number) => `key-${n}`, pad?: string) =>
  Array.from({ length: count }, (_, n) => ({
    topic,
    key: keyOf(n),
    value: { n, ...(pad === undefined ? {} : { pad }) },
  }));

export const numberOf = ({ value }: LogRecord) => (JSON.parse(value ?? '{"n":-1}') as Note).n;

/** Waits for a condition with a deadline, asking again soon. */
export async function until(check: () => boolean | Promise<boolean>, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await wait(20);
  }
}

export async function readAll(log: EventLog, topic: Topic<Note>): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const records of log.read(topic, { untilEnd: true })) found.push(...records);
  return found;
}
