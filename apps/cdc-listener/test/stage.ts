import {
  backfillStart,
  toRecordId,
  topics,
  type BackfillStart,
  type Command,
  type RecordChange,
  type Status,
} from '@libs/contracts';
import type { Outgoing } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import { afterEach, beforeEach, vi } from 'vitest';
import { Listening, type ListeningParts } from '../src/listening.js';
import { SUBSCRIPTION_CHECK } from '../src/subscription-report.js';
import { ModelLog, ModelOrg } from './model.js';

export const LEADS = '/data/LeadChangeEvent';
export const CONTACTS = '/data/ContactChangeEvent';
export const OBJECTS: Readonly<Record<string, string>> = { [LEADS]: 'Lead', [CONTACTS]: 'Contact' };
/** The empty id of an overflow. */
export const NO_IDS = ['000000000000000AAA'];

export const idOf = (n: number) => toRecordId(`00Q5f0${String(n).padStart(9, '0')}`) ?? '';

/** The header of an update of these records, committed now. */
export const header = (...numbers: number[]) => ({
  entityName: 'Lead',
  recordIds: numbers.map(idOf),
  changeType: 'UPDATE',
  commitTimestamp: Date.now(),
});

/** On the faked timers. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  setTimeout(resolve, ms);
  await promise;
}

/** Lets everything that is due happen. */
export async function settle(ms = 20): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

export function statusOf(value: Status): Outgoing<Status> {
  return { topic: topics.status, key: value.id, value };
}

export function changeOf(n: number, commitTimestamp: number, source: RecordChange['source'] = 'cdc'): Outgoing {
  const recordId = idOf(n);
  const kind = { recordType: 'Lead', changeType: 'UPDATE', lane: 'realtime' } as const;
  return { topic: topics.changes, key: recordId, value: { ...kind, recordId, source, commitTimestamp } };
}

/** An org, a log and listeners between them, on faked timers; new for each test. */
export class Stage {
  org = new ModelOrg();
  log = new ModelLog();
  health = new Health();
  metrics: Metrics = createMetrics();
  private stops: Array<() => Promise<void>> = [];

  /** Before a test, or for another run of a property. */
  reset(): void {
    this.org = new ModelOrg();
    this.log = new ModelLog();
    this.health = new Health();
    this.metrics = createMetrics();
  }

  async end(): Promise<void> {
    for (const stop of this.stops.splice(0)) await stop();
  }

  /** Starts a holder on what the last one stored. */
  listen(channels: readonly string[] = [LEADS], own: Partial<ListeningParts> = {}) {
    const { health, metrics, org } = this;
    const { log, lease, lose } = this.log.holder();
    const stopping = new AbortController();
    const signal = AbortSignal.any([lease.signal, stopping.signal]);
    const logger = createLogger('test', 'silent');
    const objectsOf = new Map(channels.map((channel) => [channel, [OBJECTS[channel] ?? '']]));
    const base = { log, metrics, health, logger, source: org.source, channels: objectsOf, pollMs: 60_000 };
    const done = new Listening({ ...base, delayMs: () => 10, pause, ...own }, lease, signal).run();
    done.catch(() => undefined);
    const stop = async () => {
      stopping.abort();
      await settle();
      await done;
    };
    this.stops.push(() => Promise.race([stop().catch(() => undefined), settle()]));
    return { done, stop, lose };
  }

  get published(): string[] {
    return this.log.changes.map(({ recordId }) => recordId);
  }

  get check() {
    return this.health.report().checks.find(({ name }) => name === SUBSCRIPTION_CHECK);
  }

  /** Status messages of a type. */
  told(type: Status['type']): Status[] {
    return this.log.valuesOf<Status>(topics.status).filter((status) => status.type === type);
  }

  get catchUps(): BackfillStart[] {
    return this.log.valuesOf<Command>(topics.commands).map(({ data }) => backfillStart.parse(data));
  }

  /** Sum of a metric over its labels. */
  async counted(
    name:
      | 'listenerHoles'
      | 'listenerMalformed'
      | 'listenerReconnects'
      | 'listenerSilences'
      | 'listenerOpenHoles'
      | 'listenerFiltered',
  ): Promise<number> {
    return (await this.metrics[name].get()).values.reduce((sum, { value }) => sum + value, 0);
  }
}

/** A stage for the tests of a file. */
export function useStage(): Stage {
  const stage = new Stage();
  beforeEach(() => {
    vi.useFakeTimers();
    vi.setSystemTime(1_764_060_065_000);
    stage.reset();
  });
  afterEach(async () => {
    await stage.end();
    vi.useRealTimers();
  });
  return stage;
}
