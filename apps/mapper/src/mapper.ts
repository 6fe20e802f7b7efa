import { setTimeout as wait } from 'node:timers/promises';
import { topics, updateTopics, type Lane, type ProjectType, type RecordBatch, type UserMessage } from '@libs/contracts';
import { MAX_MESSAGE_BYTES, type Batch, type EventLog, type Outgoing } from '@libs/event-log';
import { targetsOf, type CompiledMapping, type IdentifiedSchema, type MappedRecord } from '@libs/mapping';
import type { Health, Metrics } from '@libs/observability';
import { SalesforceQueryError, type SalesforceClient } from '@libs/salesforce';
import pLimit from 'p-limit';
import { MappedFieldHiddenError, type CompiledMappings } from './compiled-mappings.js';
import { endingsOf } from './core/endings.js';
import { laggingIds } from './core/lagging-ids.js';
import { planBatch, type BatchPlan, type FetchedRows, type MappedRows, type UnmappedEnd } from './core/plan-batch.js';
import { FanOut, type Expansion } from './fan-out.js';
import { fetchRows } from './fetch-rows.js';
import type { LaneGate } from './lane-gate.js';
import type { ParentReaders } from './parent-readers.js';
import type { ProfileSchemas } from './profile-schemas.js';

/** Batches of one partition whose rows are fetched at the same time: hides most of the time that Salesforce takes to answer. */
const PARALLEL_FETCHES = 3;
/**
 * Partitions whose backfilled batches are worked on at the same time. Invariant 6: real-time batches share the process, the
 * producer and the org with no more than these. Nine queries at a time are enough for what the writer may write.
 */
const BACKFILL_PARTITIONS = 3;
/** How long a row that lags behind its change event is given to become visible. Milliseconds. */
const VISIBILITY_WAIT_MS = 500;
/** Room for the key and the headers of a message. Bytes. */
const ENVELOPE_BYTES = 2_000;

export interface MapperParts {
  readonly log: Pick<EventLog, 'append'>;
  readonly salesforce: Pick<SalesforceClient, 'query' | 'queryMore'>;
  readonly mappings: Pick<CompiledMappings, 'of' | 'all' | 'forget'>;
  readonly readers: Pick<ParentReaders, 'of' | 'forget'>;
  readonly schemas: Pick<ProfileSchemas, 'publish'>;
  readonly gate: Pick<LaneGate, 'whenOpen' | 'holdsBack' | 'passed'>;
  /** Are changes of Users followed to the records that show them? */
  readonly followOwners: boolean;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly projectType: ProjectType;
  /** Default 500. Milliseconds. */
  readonly visibilityWaitMs?: number;
}

interface Planned extends BatchPlan {
  readonly recordType: string;
  /** Is there a mapping for these records? */
  readonly isMapped: boolean;
  /** What the updates name; `null`: there is no mapping. */
  readonly schema: IdentifiedSchema | null;
  readonly expansion: Expansion;
}

/**
 * Batches of ids → the records' current state → what the writer is told of each, an outcome for each that it is told
 * nothing of, and changes of the records that show them.
 */
export class Mapper {
  private readonly recoveries = new Map<string, () => void>();
  private readonly fanOut: FanOut;
  private readonly backfillTurns = pLimit(BACKFILL_PARTITIONS);

  constructor(private readonly parts: MapperParts) {
    this.fanOut = new FanOut(parts);
  }

  /**
   * Resolves when all that the batches came to is durable, in their order. While the lane is stopped they wait, and are
   * mapped from the beginning when it goes on: by the mapping that is in force then. Errors: those of Salesforce and the log.
   */
  async process(batch: Batch<RecordBatch>, lane: Lane): Promise<void> {
    const { signal } = batch.claim;
    while (await this.parts.gate.whenOpen(lane, signal)) {
      const work = () => this.work(batch, lane);
      if (await (lane === 'realtime' ? work() : this.backfillTurns(work))) return;
    }
  }

  /** `false`: nothing was appended, and it is to be mapped again: so much of it would be dead, or some of it by a mapping of before. */
  private async work(batch: Batch<RecordBatch>, lane: Lane): Promise<boolean> {
    const { signal } = batch.claim;
    if (signal.aborted) return true; // taken away while it waited for its turn
    const { log, mappings, schemas, gate } = this.parts;
    const inForce = mappings.all();
    const plans = await this.planAll(batch, lane);
    if (signal.aborted) return true; // its new owner maps these batches
    const endings = endingsOf(plans);
    // What a mapping did that was mended in the meantime neither kills a record nor stops the lane
    if (endings.dead.size > 0 && mappings.all() !== inForce) return false;
    if (gate.holdsBack(lane, endings)) return false;
    await schemas.publish(plans.flatMap(({ schema }) => schema ?? []));
    // Invariant 1: a cause ends as expanded when the changes of those who show it are durable, and the batches are committed
    // when everything that they came to is.
    await log.append(plans.flatMap(({ expansion }) => expansion.messages));
    await log.append(plans.flatMap((plan) => messagesOf(plan, lane)));
    gate.passed(lane, endings);
    for (const plan of plans) this.count(plan, lane);
    return true;
  }

  private async planAll({ claim, records }: Batch<RecordBatch>, lane: Lane): Promise<Planned[]> {
    const failed = new AbortController();
    const limit = pLimit(PARALLEL_FETCHES);
    const givenUp = AbortSignal.any([claim.signal, failed.signal]);
    try {
      return await Promise.all(records.map(({ value }) => limit(() => this.plan(value, lane, claim.signal, givenUp))));
    } catch (error) {
      failed.abort(); // the others would be fetched again anyway
      throw error;
    }
  }

  private async plan(batch: RecordBatch, lane: Lane, claim: AbortSignal, givenUp: AbortSignal): Promise<Planned> {
    const { mappings, projectType } = this.parts;
    const { recordType } = batch;
    try {
      const inForce = mappings.all();
      const mapping = inForce.get(recordType);
      const compiled = await mappings.of(recordType);
      const expansion = await this.fanOut.expand(batch, { lane, isMapped: compiled !== null }, givenUp);
      const fetchedAtMs = Date.now();
      const rows: FetchedRows = compiled === null ? new Map() : await this.currentRows(batch, lane, compiled, givenUp);
      const mapped: MappedRows = compiled === null ? new Map() : await mapRows(compiled, rows);
      this.countShortened(recordType, mapped);
      const plan = planBatch(batch, rows, mapped, {
        lane,
        compiled,
        unmappedEnd: this.unmappedEnd(recordType, expansion),
        projectType,
        targets: mapping === undefined ? [] : targetsOf(mapping),
        mapsContacts: inForce.has('Contact'),
        maxMessageBytes: MAX_MESSAGE_BYTES - ENVELOPE_BYTES,
        fetchedAtMs,
        nowMs: Date.now(),
      });
      if (compiled !== null || expansion.isRead) this.parts.health.set(checkOf(recordType), true);
      return { recordType, isMapped: compiled !== null, schema: compiled?.schema ?? null, expansion, ...plan };
    } catch (error) {
      if (isRefusal(error)) this.refused(recordType, error, claim);
      throw error;
    }
  }

  private unmappedEnd(recordType: string, { isRead }: Expansion): UnmappedEnd {
    if (this.fanOut.ignores(recordType)) return { kind: 'skipped', reason: 'mapper.owners_not_followed' };
    if (isRead) return { kind: 'expanded', reason: 'mapper.fanned_out' };
    return { kind: 'skipped', reason: 'mapping.unmapped_object' };
  }

  /**
   * Invariant 7: a field that vanished is no fault of the records. Reading waits and asks the org anew each time; until it
   * is mended, or the partition is another instance's, readiness says which field.
   */
  private refused(recordType: string, error: Error, claim: AbortSignal): void {
    const { mappings, readers, health } = this.parts;
    mappings.forget(recordType);
    readers.forget();
    health.set(checkOf(recordType), false, error.message);
    claim.addEventListener('abort', this.recoveryOf(recordType)); // the same function again is no second listener
  }

  private recoveryOf(recordType: string): () => void {
    const known = this.recoveries.get(recordType);
    if (known !== undefined) return known;
    const recovery = () => this.parts.health.set(checkOf(recordType), true);
    this.recoveries.set(recordType, recovery);
    return recovery;
  }

  private async currentRows(
    batch: RecordBatch,
    lane: Lane,
    compiled: CompiledMapping,
    signal: AbortSignal,
  ): Promise<FetchedRows> {
    const ids = batch.entries.map((entry) => entry.recordId);
    const rows = await this.fetch(compiled, ids, signal);
    const lagging = lane === 'realtime' ? laggingIds(batch, rows, compiled) : [];
    if (lagging.length === 0) return rows;
    this.parts.metrics.mapperRefetched.inc({ object: batch.recordType }, lagging.length);
    await wait(this.parts.visibilityWaitMs ?? VISIBILITY_WAIT_MS, undefined, { signal });
    return new Map([...rows, ...(await this.fetch(compiled, lagging, signal))]);
  }

  private async fetch(compiled: CompiledMapping, ids: readonly string[], signal: AbortSignal): Promise<FetchedRows> {
    const stopTimer = this.parts.metrics.mapperQuerySeconds.startTimer({ object: compiled.object });
    try {
      return await fetchRows(this.parts.salesforce, compiled, ids, signal);
    } finally {
      stopTimer();
    }
  }

  private countShortened(object: string, mapped: MappedRows): void {
    for (const made of mapped.values()) {
      const shortened = made.kind === 'user' ? (made.shortened?.length ?? 0) : 0;
      if (shortened > 0) this.parts.metrics.mapperShortened.inc({ object }, shortened);
    }
  }

  private count({ recordType: object, expansion, messages, outcomes, deadLetters }: Planned, lane: Lane): void {
    const { metrics } = this.parts;
    this.fanOut.count(object, lane, expansion);
    if (messages.length > 0) metrics.mapperRecords.inc({ object, lane }, messages.length);
    for (const { kind: outcome, reason, offsets } of outcomes) {
      metrics.outcomes.inc({ object, lane, outcome, reason }, offsets.length);
    }
    for (const { stage, code } of deadLetters) metrics.deadLetters.inc({ stage, code });
  }
}

async function mapRows(compiled: CompiledMapping, rows: FetchedRows): Promise<MappedRows> {
  const mapped = new Map<string, MappedRecord>();
  for (const [id, { row }] of rows) {
    const made = compiled.apply(row);
    mapped.set(id, made instanceof Promise ? await made : made);
  }
  return mapped;
}

function checkOf(recordType: string): string {
  return `mapping:${recordType}`;
}

/** Does Salesforce refuse what the mapping asks for, whatever the record? */
function isRefusal(error: unknown): error is Error {
  return error instanceof SalesforceQueryError || error instanceof MappedFieldHiddenError;
}

function messagesOf({ messages, outcomes, deadLetters }: BatchPlan, lane: Lane): Outgoing[] {
  return [
    ...messages.map((value) => ({ topic: updateTopics[lane], key: profileOwner(value), value })),
    ...outcomes.map((value) => ({ topic: topics.outcomes, key: value.recordId ?? '', value })),
    ...deadLetters.map((value) => ({ topic: topics.deadLetters, key: value.recordId ?? '', value })),
  ];
}

/** The record whose profile is meant: messages about one profile keep their order. */
function profileOwner(message: UserMessage): string {
  return message.kind === 'rename' ? message.recordId : (message.belongsTo ?? message.recordId);
}
