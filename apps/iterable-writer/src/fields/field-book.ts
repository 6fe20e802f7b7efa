import { isRetryable, type ProfileSchema, type UserMessage } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import { backoffMs, type EndpointPace, type FieldMismatch, type IterableApi, type ProfileCalls } from '@libs/iterable';
import type { Health, Logger, Metrics } from '@libs/observability';
import pLimit from 'p-limit';
import { encodeFields, fieldPlan, followPlan, type FieldRule, type KnownTypes } from './field-plan.js';
import { differentFields, missingFields } from './seed.js';
import { FieldNews } from './field-news.js';
import { createsNewFields, FieldSeed, type SeedOptions } from './field-seed.js';
import type { Gate } from '../gate.js';
import { pause } from '../pause.js';
import type { Sending } from '../piece.js';
import { ProfileSchemas } from './profile-schemas.js';
import { ProjectFields } from './project-fields.js';
import { sendingAgain } from '../sending.js';

const RETRY = { firstMs: 500, maxMs: 30_000 };
/** Most fields named in a text for people. */
const MOST_NAMED = 10;
const NO_FIELDS: ProfileSchema['fields'] = {};

export interface FieldBookOptions extends SeedOptions {
  /** Is a new field given its type before its first value? */
  readonly seed: boolean;
}

export interface FieldBookParts {
  readonly log: Pick<EventLog, 'read'>;
  readonly client: IterableApi;
  readonly pace: EndpointPace;
  readonly calls: ProfileCalls;
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
}

/**
 * Looks after the types of profile fields. Iterable fixes one by the first value, for ever, and refuses whole requests for a value of
 * another: what mappings mean and what the project has are both known here before a value leaves.
 */
export class FieldBook {
  private readonly news: FieldNews;
  private readonly schemas: ProfileSchemas;
  private readonly fields: ProjectFields;
  private readonly seed: FieldSeed;
  private readonly ready = new Set<string>();
  private readonly tried = new Set<string>();
  private readonly dropped = new Set<string>();
  private readonly oneAtATime = pLimit(1);
  private plans = new Map<string, readonly FieldRule[]>();
  private plansOf = -1;
  private listed = false;

  constructor(
    private readonly parts: FieldBookParts,
    private readonly options: FieldBookOptions,
  ) {
    this.news = new FieldNews(parts.health);
    this.schemas = new ProfileSchemas(parts.log, parts.logger);
    this.fields = new ProjectFields({ ...parts, news: this.news });
    this.seed = new FieldSeed(parts, options);
  }

  /** This writer is the active one: reads the project's fields, and goes on looking. */
  start(): void {
    this.fields.start();
  }

  stop(): void {
    this.fields.stop();
    this.seed.stop();
  }

  /** `createNewFields` of a request; absent: the project's own setting decides. */
  get createNewFields(): boolean | undefined {
    return createsNewFields(this.options.newFields);
  }

  /**
   * Sees to it that the fields of these messages have their types. Resolves at once when they do. Waits for the world where it must
   * (Invariant 7); rejects with the signal's reason on an abort.
   */
  async prepare(messages: readonly UserMessage[], signal: AbortSignal): Promise<void> {
    const ids = new Set(messages.flatMap((one) => (one.kind === 'update' ? (one.schema ?? []) : [])));
    for (const id of ids) {
      if (!this.ready.has(id)) await this.oneAtATime(() => this.makeReady(id, signal));
    }
  }

  /** The profile as JSON, each value as its field wants it. Of a message that was prepared. `fields` is modified. */
  encode(fields: Record<string, unknown>, schema: string | undefined): string {
    return encodeFields(fields, this.planOf(schema));
  }

  /**
   * After a refusal for a value's type: learns from it, and converts what can be. Returns the users whose body is another now, in input
   * order; those missing cannot be helped.
   */
  async repair(
    sendings: readonly Sending[],
    mismatches: readonly FieldMismatch[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Sending, Sending>> {
    if (!this.fields.learn(mismatches)) await this.fields.lookAgain(signal);
    const repaired = new Map<Sending, Sending>();
    const plans = new Map<string, readonly FieldRule[]>();
    for (const sending of sendings) {
      const { entry } = sending;
      if (entry.message.kind !== 'update' || entry.fields === '') continue;
      const { schema = '' } = entry.message;
      const plan = plans.get(schema) ?? this.fullPlan(schema);
      plans.set(schema, plan);
      const fields = this.fitAll(JSON.parse(entry.fields) as Record<string, unknown>, plan);
      if (fields === entry.fields) continue;
      entry.fields = fields;
      repaired.set(sending, sendingAgain(sending));
    }
    this.parts.metrics.writerRepairs.inc(repaired.size);
    return repaired;
  }

  /** What an answer says about fields. */
  noticed({
    createdFields,
    filteredOutFields,
  }: {
    readonly createdFields: readonly string[];
    readonly filteredOutFields: readonly string[];
  }): void {
    if (createdFields.length > 0) this.fields.changed();
    const before = this.dropped.size;
    for (const field of filteredOutFields) this.dropped.add(field);
    if (this.dropped.size === before) return;
    this.parts.metrics.writerDroppedFields.set(this.dropped.size);
    this.news.tell(
      'dropped',
      `Iterable leaves out fields that the project does not have: ${named([...this.dropped])}.`,
    );
  }

  private async makeReady(id: string, signal: AbortSignal): Promise<void> {
    if (this.ready.has(id)) return;
    await this.insist(() => this.readSchema(id, signal), 'Profile schemas cannot be read from the log.', signal);
    if (!this.listed) {
      await this.insist(() => this.readList(signal), "The project's fields cannot be read.", signal);
      this.listed = true;
    }
    const schema = this.schemas.get(id);
    if (schema === null) {
      this.news.tell(
        'schemas',
        'Updates name a profile schema that nobody published: their types are not looked after.',
      );
    } else {
      await this.giveTypes(schema, signal);
      this.tellDifferent(schema);
    }
    signal.throwIfAborted();
    this.ready.add(id);
  }

  private async readSchema(id: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.schemas.need(id, signal);
      return true;
    } catch (error) {
      if (signal.aborted || !isRetryable(error)) throw error;
      return false;
    }
  }

  /** A list that may not be read is done without; and one that is only to convert values, not to give fields their types. */
  private async readList(signal: AbortSignal): Promise<boolean> {
    const looked = await this.fields.look(signal);
    return looked !== 'retry' || !this.plants;
  }

  /** Does a new field get its type before its first value? */
  private get plants(): boolean {
    return this.options.seed && this.options.newFields !== 'drop';
  }

  private async giveTypes(schema: ProfileSchema, signal: AbortSignal): Promise<void> {
    if (!this.plants) return;
    const missing = missingFields(schema, this.fields.known).filter((path) => !this.tried.has(path));
    if (missing.length === 0) return;
    const answer = await this.seed.plant(schema, missing, signal);
    for (const path of missing) this.tried.add(path);
    if (answer === null) return;
    this.noticed({ createdFields: [], filteredOutFields: answer.filteredOutFields });
    this.parts.logger.info(
      { fields: missing.length },
      'new fields of the project have the types that the mapping means',
    );
    await this.fields.look(signal);
  }

  private tellDifferent(schema: ProfileSchema): void {
    const different = differentFields(schema, this.fields.known);
    const text = `${schema.object}: fields of another type in Iterable than the mapping means: ${named(different)}.`;
    this.news.tell(`types of ${schema.object}`, different.length === 0 ? null : `${text} See sync mapping check.`);
  }

  /** Of all fields of the project, also those that nobody means a type for. */
  private fullPlan(schema: string): readonly FieldRule[] {
    const { known, named: learned } = this.fields;
    return this.makePlan(schema, new Map([...known, ...learned]));
  }

  /** What was of use is remembered, so that the next values leave that way. */
  private fitAll(fields: Record<string, unknown>, plan: readonly FieldRule[]): string {
    const changed = followPlan(fields, plan);
    this.fields.learn(changed.map(({ path, to }) => ({ field: path.join('.'), expected: to })));
    return JSON.stringify(fields);
  }

  private planOf(id = ''): readonly FieldRule[] {
    if (this.plansOf !== this.fields.version) {
      this.plans = new Map();
      this.plansOf = this.fields.version;
    }
    const known = this.plans.get(id);
    if (known !== undefined) return known;
    const plan = this.makePlan(id, this.fields.named);
    this.plans.set(id, plan);
    return plan;
  }

  private makePlan(id: string, learned: KnownTypes): readonly FieldRule[] {
    return fieldPlan(this.schemas.get(id)?.fields ?? NO_FIELDS, this.fields.known, learned);
  }

  /** An outage is waited out (Invariant 7). */
  private async insist(work: () => Promise<boolean>, trouble: string, signal: AbortSignal): Promise<void> {
    try {
      for (let attempt = 0; !(await work()); attempt += 1) {
        this.news.hold(`${trouble} Nothing is taken before the types of its fields are known. Trying again.`);
        await pause(backoffMs(attempt, Math.random(), RETRY), signal);
      }
    } finally {
      // Also when it is broken off: the next one may find all well, or be another process.
      this.news.hold(null);
    }
  }
}

function named(fields: readonly string[]): string {
  const more = fields.length - MOST_NAMED;
  return fields.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
