import { SyncError, type Stage, type Topic } from '@libs/contracts';
import type { Batch, Delivered, HandlerOptions } from '../batch.js';
import { decode } from '../codec.js';
import type { Claim, EventLog, LogRecord } from '../port.js';
import { buryMessage, messagesOf, type Death, type Verdict } from './coverage.js';
import { PassingClaim } from './passing-claim.js';
import type { Retrying, ServerParts } from './retrying.js';

/** The code of a message that is not what its topic carries. */
export const MALFORMED_MESSAGE = 'event-log.malformed_message';

export interface DeliveryTarget {
  readonly topic: Topic;
  readonly commit: HandlerOptions['commit'];
  /** Where its dead letters are made. */
  readonly stage: Stage;
  handle(batch: Batch<unknown>): Promise<void>;
}

interface Reading {
  readonly passing: PassingClaim;
  /** Where the last run ended; `null` before the first. */
  end: number | null;
}

/** A message as read, with its value decoded. */
interface Valid {
  readonly record: LogRecord;
  readonly delivered: Delivered<unknown>;
}

/** From a run of records to calls of a handler, by the error policy of the style guide, §6. One for each topic. */
export class Delivery {
  private readonly readings = new WeakMap<Claim, Reading>();

  constructor(
    private readonly target: DeliveryTarget,
    private readonly log: Pick<EventLog, 'append'>,
    private readonly parts: ServerParts,
    private readonly retrying: Retrying,
  ) {}

  /** Resolves when the run is settled or abandoned; rejects on a bug: then nothing more may be read. */
  async onRecords(records: readonly LogRecord[], claim: Claim): Promise<void> {
    const first = records[0];
    const last = records.at(-1);
    if (first === undefined || last === undefined) return;
    const reading = this.readingOf(claim);
    const start = reading.end ?? first.offset;
    const nextOffset = last.offset + 1;
    const valid = await this.decodeAll(records, claim);
    if (valid === null) return;
    reading.end = nextOffset;
    if (!(await this.deliver(valid, start, nextOffset, reading.passing))) return;
    if (this.target.commit === 'after-handler') await this.write(claim, () => reading.passing.commit(nextOffset));
  }

  /** The claim as the handler sees it: one for each of the log's. */
  claimFor(claim: Claim): Claim {
    return this.readingOf(claim).passing;
  }

  private readingOf(claim: Claim): Reading {
    let reading = this.readings.get(claim);
    if (reading === undefined) {
      reading = { passing: new PassingClaim(claim), end: null };
      this.readings.set(claim, reading);
    }
    return reading;
  }

  /** The valid ones; the others are dead letters by then. `null`: abandoned. */
  private async decodeAll(records: readonly LogRecord[], claim: Claim): Promise<Valid[] | null> {
    const { topic } = this.target;
    const valid: Valid[] = [];
    const deaths: Death[] = [];
    const now = Date.now();
    for (const record of records) {
      // A tombstone only forgets a key: a handler has nothing to do for it.
      if (record.value === null && topic.policy.cleanup === 'compact') continue;
      const decoded = decode(topic, record.value);
      if (decoded.ok) {
        valid.push({ record, delivered: { ...record, value: decoded.value } });
        continue;
      }
      this.parts.metrics.logMalformed.inc({ topic: topic.name });
      const { partition, offset } = record;
      this.parts.logger.warn({ topic: topic.name, partition, offset, reason: decoded.reason }, 'malformed message');
      const message = `the message ${decoded.reason}`;
      const verdict: Verdict = { stage: 'decode', code: MALFORMED_MESSAGE, message, attempts: 1, firstTime: now, now };
      deaths.push(buryMessage(record, undefined, verdict));
    }
    return (await this.bury(deaths, claim)) ? valid : null;
  }

  /** One call of the handler, smaller ones if it says that some record is bad. `false`: abandoned. */
  private async deliver(valid: readonly Valid[], start: number, end: number, claim: PassingClaim): Promise<boolean> {
    const first = valid[0];
    if (first === undefined) {
      return this.pass(claim, start, end);
    }
    const { topic, partition } = claim;
    const batch: Batch<unknown> = {
      topic,
      partition,
      records: valid.map(({ delivered }) => delivered),
      nextOffset: end,
      claim,
    };
    claim.gave(start);
    const settled = await this.retrying.settle(partition, claim.signal, () => this.target.handle(batch));
    if (settled.kind === 'abandoned') return false;
    if (settled.kind === 'record') {
      if (valid.length > 1) return this.isolate(valid, start, end, claim);
      return this.buryOne(first, start, end, claim, settled);
    }
    const last = valid.at(-1) ?? first;
    return this.pass(claim, last.record.offset + 1, end);
  }

  /** A bad record never stops a good one (invariant 7): one by one, so that only the bad one dies. */
  private async isolate(valid: readonly Valid[], start: number, end: number, claim: PassingClaim): Promise<boolean> {
    let from = start;
    for (const [index, one] of valid.entries()) {
      const to = valid[index + 1]?.record.offset ?? end;
      if (!(await this.deliver([one], from, to, claim))) return false;
      from = to;
    }
    return true;
  }

  private async buryOne(
    { record, delivered }: Valid,
    start: number,
    end: number,
    claim: PassingClaim,
    failure: { readonly error: SyncError; readonly attempts: number; readonly firstTime: number },
  ): Promise<boolean> {
    const { error, attempts, firstTime } = failure;
    const { stage } = this.target;
    const { topic, partition, offset } = record;
    this.parts.logger.warn({ topic, partition, offset, code: error.code, err: error }, 'a record is dead');
    const { code, message } = error;
    const death = buryMessage(record, delivered.value, { stage, code, message, attempts, firstTime, now: Date.now() });
    if (!(await this.bury([death], claim))) return false;
    return this.pass(claim, start, end);
  }

  /** Offsets that need no handler: a by-handler's commit is carried over them, an after-handler's covers them anyway. */
  private pass(claim: PassingClaim, start: number, end: number): Promise<boolean> {
    if (this.target.commit === 'after-handler') return Promise.resolve(true);
    return this.write(claim, () => claim.pass(start, end));
  }

  /** A write of ours to the log, tried again while the log is away. `false`: abandoned. */
  private async write(claim: Claim, step: () => Promise<void>): Promise<boolean> {
    const settled = await this.retrying.settle(claim.partition, claim.signal, step);
    if (settled.kind === 'record') throw settled.error;
    return settled.kind === 'done';
  }

  /** Makes the deaths durable. `false`: abandoned. */
  private async bury(deaths: readonly Death[], claim: Claim): Promise<boolean> {
    if (deaths.length === 0) return true;
    const append = async () => {
      await this.log.append(deaths.flatMap(messagesOf));
    };
    if (!(await this.write(claim, append))) return false;
    const { deadLetters, outcomes } = this.parts.metrics;
    for (const death of deaths) {
      for (const { value } of death.letters) deadLetters.inc({ stage: value.stage, code: value.code });
      for (const { value } of death.outcomes) {
        const labels = {
          object: value.recordType ?? 'unknown',
          lane: value.lane,
          outcome: value.kind,
          reason: value.reason,
        };
        outcomes.inc(labels, value.offsets.length);
      }
    }
    return true;
  }
}
