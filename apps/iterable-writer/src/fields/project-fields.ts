import { MAX_PROFILE_FIELDS } from '@libs/contracts';
import {
  isCallError,
  parseFields,
  refusedReasons,
  UnusableAnswerError,
  type EndpointPace,
  type FieldMismatch,
  type ReadClient,
} from '@libs/iterable';
import type { Logger, Metrics } from '@libs/observability';
import { pause, unlessAborted } from '../pause.js';
import type { FieldNews } from './field-news.js';
import type { KnownTypes } from './field-plan.js';

/** Others make fields, too. Milliseconds. */
const LOOK_EVERY_MS = 10 * 60_000;
/** After an answer that shows a change, or a refusal, at most so often. Milliseconds. */
const LOOK_AGAIN_MS = 1_000;
/** A look that takes longer is not waited for by those who have been refused: their places are needed. Milliseconds. */
const PATIENCE_MS = 3_000;
/** Share of the fields that a project may have above which someone should know. */
const NEARLY_FULL = 0.9;

/** `retry`: Iterable gives no usable answer now; `refused`: it will not, until somebody acts. */
type Looked = 'read' | 'retry' | 'refused';

export interface ProjectFieldsParts {
  readonly client: Pick<ReadClient, 'getFields'>;
  readonly pace: EndpointPace;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly news: FieldNews;
}

/** What the project's fields are: read at the start, when an answer shows that they changed, and now and then. */
export class ProjectFields {
  private types: KnownTypes = new Map();
  private readonly learned = new Map<string, string>();
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private looking: Promise<Looked> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private closing = new AbortController();
  private changes = 0;

  constructor(private readonly parts: ProjectFieldsParts) {}

  /** Grows whenever something is known that was not. */
  get version(): number {
    return this.changes;
  }

  get known(): KnownTypes {
    return this.types;
  }

  /** Types of fields that values were refused for. */
  get named(): KnownTypes {
    return this.learned;
  }

  /** Becoming active: looks now, and again and again. */
  start(): void {
    if (this.timer !== null) return;
    this.closing = new AbortController();
    this.timer = setInterval(() => this.lookSoon(), LOOK_EVERY_MS);
    this.lookSoon();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.closing.abort();
    this.looking = null;
  }

  /** Reads the list; who asks meanwhile gets the same answer. Rejects with the signal's reason on an abort. */
  look(signal: AbortSignal): Promise<Looked> {
    const looking = this.looking ?? this.read(this.closing.signal).finally(() => this.looked(looking));
    this.looking = looking;
    return unlessAborted(looking, signal);
  }

  private looked(look: Promise<Looked>): void {
    if (this.looking === look) this.looking = null;
  }

  /**
   * After a refusal: reads the list, once for all that are refused within a moment. It may be of just before the refusal, when the field
   * was not made yet. Does not wait for long; the list is there when it comes.
   */
  async lookAgain(signal: AbortSignal): Promise<void> {
    const refusedAtMs = Date.now();
    const agoMs = refusedAtMs - this.lookedAtMs;
    if (this.looking !== null && agoMs >= PATIENCE_MS) return;
    if (this.looking === null && agoMs < LOOK_AGAIN_MS) await pause(LOOK_AGAIN_MS - agoMs, signal);
    // Another has looked meanwhile
    if (this.looking === null && this.lookedAtMs > refusedAtMs) return;
    await Promise.race([this.look(signal), pause(PATIENCE_MS, signal)]);
  }

  private async read(signal: AbortSignal): Promise<Looked> {
    const { client, pace, logger, news } = this.parts;
    this.lookedAtMs = Date.now();
    const answer = await pace.call('users/getFields', () => client.getFields(signal), signal);
    try {
      if (isCallError(answer)) throw new UnusableAnswerError(answer.code, true);
      this.take(parseFields(answer));
      news.tell('list', null);
      return 'read';
    } catch (error) {
      if (!(error instanceof UnusableAnswerError)) throw error;
      logger.warn({ code: error.code }, "cannot read the project's fields");
      news.tell('list', `The project's fields cannot be read (${error.code}): types are not looked after.`);
      return error.code in refusedReasons || !error.retryable ? 'refused' : 'retry';
    }
  }

  /** An answer shows that the fields are others than known. */
  changed(): void {
    if (Date.now() - this.lookedAtMs >= LOOK_AGAIN_MS) this.lookSoon();
  }

  /** A refusal names fields and their types. `true`: something was not known. */
  learn(mismatches: readonly FieldMismatch[]): boolean {
    let news = false;
    for (const { field, expected } of mismatches) {
      if (expected === null || this.learned.get(field) === expected) continue;
      this.learned.set(field, expected);
      news = true;
    }
    if (news) this.changes += 1;
    return news;
  }

  private lookSoon(): void {
    const { signal } = this.closing;
    if (signal.aborted) return;
    this.look(signal).catch((error: unknown) => {
      if (!signal.aborted) this.parts.logger.error({ err: error }, "cannot look at the project's fields");
    });
  }

  private take(types: KnownTypes): void {
    const isNew = types.size !== this.types.size || [...types].some(([path, type]) => this.types.get(path) !== type);
    this.types = types;
    // What the list says now is newer than an old refusal.
    for (const path of this.learned.keys()) this.learned.set(path, types.get(path) ?? this.learned.get(path) ?? '');
    if (isNew) this.changes += 1;
    const count = [...types.values()].filter((type) => type !== 'object' && type !== 'nested').length;
    this.parts.metrics.writerProjectFields.set(count);
    this.parts.news.tell(
      'budget',
      count < NEARLY_FULL * MAX_PROFILE_FIELDS
        ? null
        : `The project has ${count} of ${MAX_PROFILE_FIELDS} profile fields: remove some or have the limit raised.`,
    );
  }
}
