import { SyncError, topics, type RecordChange } from '@libs/contracts';
import type { Outgoing } from '@libs/event-log';
import type { Logger } from '@libs/observability';
import {
  allOf,
  chunkIdsByUri,
  idListCondition,
  SalesforceQueryError,
  select,
  type SalesforceClient,
} from '@libs/salesforce';
import type { Nudge } from './nudge.js';
import type { Publisher } from './publisher.js';

/** Objects whose records can be merged. Source: facts/salesforce.md §1.7. */
const MERGEABLE: ReadonlySet<string> = new Set(['Lead', 'Contact', 'Account']);
const DELETIONS: ReadonlySet<string> = new Set(['DELETE', 'GAP_DELETE']);
/** Most deleted records remembered. A deletion of more is no merge, which takes two losers at most. */
const MAX_WAITING = 10_000;
const IDLE_MS = 60_000;
const RETRY_MS = 5_000;

interface Deleted {
  readonly id: string;
  readonly commitTimestamp: number;
}

/**
 * Finds the winners of merges: the event of a loser is a plain DELETE, and only its row, deleted, names the master. The master
 * is published as changed, behind its loser: two records of one person often share an email, so what the loser's deletion does to
 * the profile must be followed by the winner's state. The winner's own UPDATE, if it has one, may come before, or touch nothing
 * that is mapped.
 *
 * Beside the stream, in memory: a look-up never holds the position back, and one that a crash cuts off is not repeated.
 */
export class MergeMasters {
  private readonly waiting = new Map<string, Map<string, Deleted>>();
  private count = 0;

  constructor(
    private readonly client: Pick<SalesforceClient, 'query'>,
    private readonly publisher: Pick<Publisher, 'publish'>,
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly nudge: Nudge,
    private readonly signal: AbortSignal,
  ) {}

  /** Remembers the deletions among changes that are durable. */
  look(changes: readonly RecordChange[]): void {
    const idle = this.count === 0;
    for (const { recordType, recordId: id, changeType, commitTimestamp } of changes) {
      if (DELETIONS.has(changeType) && MERGEABLE.has(recordType)) this.remember(recordType, { id, commitTimestamp });
    }
    if (idle && this.count > 0) this.nudge.now();
  }

  private remember(object: string, deleted: Deleted): void {
    if (this.count >= MAX_WAITING) return;
    const of = this.waiting.get(object) ?? new Map<string, Deleted>();
    if (!of.has(deleted.id)) this.count += 1;
    this.waiting.set(object, of.set(deleted.id, deleted));
  }

  /** Looks up until the end. */
  async run(): Promise<void> {
    while (!this.signal.aborted) {
      const [next] = this.waiting;
      if (next === undefined) await this.nudge.wait(IDLE_MS);
      else await this.take(...next);
    }
  }

  private async take(object: string, deleted: ReadonlyMap<string, Deleted>): Promise<void> {
    this.waiting.delete(object);
    this.count -= deleted.size;
    try {
      await this.lookUp(object, deleted);
    } catch (error) {
      if (this.signal.aborted) return;
      if (!(error instanceof SyncError)) throw error;
      this.logger.warn({ err: error, object }, 'cannot look up which deleted records were merged');
      // Refused as it stands: the field is hidden, and asking again would not help
      if (error instanceof SalesforceQueryError) return;
      for (const one of deleted.values()) this.remember(object, one);
      await this.nudge.wait(RETRY_MS);
    }
  }

  private async lookUp(object: string, deleted: ReadonlyMap<string, Deleted>): Promise<void> {
    const losers = [...deleted.values()];
    const soqlOf = (ids: readonly string[]) => {
      const where = allOf([idListCondition(ids), 'MasterRecordId != null']);
      return select({ object, fields: ['Id', 'MasterRecordId'], where });
    };
    const [first] = losers;
    if (first === undefined) return;
    for (const ids of chunkIdsByUri(soqlOf([first.id]), [...deleted.keys()])) {
      const { records } = await this.client.query(soqlOf(ids), { includeDeleted: true, signal: this.signal });
      const masters = records.flatMap(({ Id, MasterRecordId: master }): Array<Outgoing<RecordChange>> => {
        const loser = deleted.get(String(Id));
        return loser !== undefined && typeof master === 'string' ? [toMessage(object, master, loser)] : [];
      });
      await this.publisher.publish(masters, this.signal);
    }
  }
}

function toMessage(object: string, master: string, { commitTimestamp }: Deleted): Outgoing<RecordChange> {
  const value: RecordChange = {
    recordType: object,
    recordId: master,
    changeType: 'UPDATE',
    source: 'cdc',
    lane: 'realtime',
    commitTimestamp,
  };
  return { topic: topics.changes, key: master, value };
}
