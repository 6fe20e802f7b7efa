import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '@libs/config';
import {
  allTopics,
  toRecordId,
  topics,
  updateTopics,
  type DeadLetter,
  type Identity,
  type Lane,
  type Outcome,
  type Topic,
  type UserMessage,
  type UserUpdate,
} from '@libs/contracts';
import { createEventLog, decode, type EventLog } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import { startService, type RunningService } from '@libs/service';
import { iterableWriterService } from '../../apps/iterable-writer/src/iterable-writer.module.js';
import { Faults, type Fault } from '../../apps/sandbox/src/faults.js';
import {
  createIterableSandbox,
  type IterableSandbox,
  type IterableSandboxOptions,
  type LoggedRequest,
} from '../../apps/sandbox/src/iterable/index.js';

const SESSION_TIMEOUT_MS = 2_000;
const PARTITIONS = 3;

export interface RunningWriter extends RunningService {
  readonly metrics: Metrics;
}

export interface StageOptions extends Omit<IterableSandboxOptions, 'faults'> {
  /** Kafka's; else an embedded log. */
  readonly brokers?: string;
}

/** A writer's surroundings: a log of its own and a simulated Iterable project, over real HTTP. */
export class Stage {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'writer-'));
  readonly faults: Faults;
  readonly sandbox: IterableSandbox;
  readonly writers: RunningWriter[] = [];
  /** What a writer is given as environment. */
  readonly settings: Record<string, string>;
  private readonly logs: EventLog[] = [];
  private nextOffset = 0;

  constructor({ brokers, ...options }: StageOptions = {}) {
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    this.faults = new Faults(random);
    this.sandbox = createIterableSandbox({ random, ...options, faults: this.faults });
    const kafka: Record<string, string> =
      brokers === undefined ? {} : { KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: `t${randomUUID().slice(0, 8)}.` };
    this.settings = {
      ...kafka,
      KAFKA_PARTITIONS: String(PARTITIONS),
      KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
      ITERABLE_API_KEY: 'sandbox',
      DATA_DIR: this.dataDir,
      LOG_LEVEL: 'silent',
    };
  }

  async open(): Promise<this> {
    this.settings['ITERABLE_BASE_URL'] = (await this.sandbox.listen()).url;
    await (await this.openLog()).applyTopics(allTopics);
    return this;
  }

  /** The test's own. */
  get log(): EventLog {
    const [own] = this.logs;
    if (own === undefined) throw new Error('the stage is not open');
    return own;
  }

  /** The log as another process has it. */
  async openLog(): Promise<EventLog> {
    const settings = this.parse();
    const logger = createLogger('test', settings.LOG_LEVEL);
    const log = await createEventLog(settings, { clientId: 'iterable-writer', logger });
    this.logs.push(log);
    return log;
  }

  async startWriter(own: Record<string, string> = {}, log: EventLog = this.log): Promise<RunningWriter> {
    const settings = this.parse(own);
    const metrics = createMetrics();
    const parts = {
      log,
      metrics,
      health: new Health(['log']),
      logger: createLogger('iterable-writer', settings.LOG_LEVEL),
    };
    const writer = { ...(await startService(iterableWriterService, settings, parts)), metrics };
    this.writers.push(writer);
    return writer;
  }

  /** Strikes bulk updates, unless `more` says otherwise. */
  fault(kind: string, more: Partial<Omit<Fault, 'kind' | 'system'>> = {}): void {
    this.faults.add({ system: 'iterable', kind, rate: 1, match: 'users/bulkUpdate', options: {}, ...more });
  }

  /** Appends updates; each stands for one change of its own. Returns them as sent. */
  async send(lane: Lane, updates: readonly Partial<UserUpdate>[]): Promise<UserUpdate[]> {
    const values = updates.map((update) => ({ ...anUpdate(this.nextOffset++), ...update }));
    await this.log.append(values.map((value) => ({ topic: updateTopics[lane], key: value.recordId, value })));
    return values;
  }

  /** As {@link send}, of any kind. */
  async tell(lane: Lane, messages: ReadonlyArray<Partial<UserMessage> & { readonly recordId: string }>): Promise<void> {
    const values = messages.map((message) => ({ ...anUpdate(this.nextOffset++), ...message }) as UserMessage);
    await this.log.append(values.map((value) => ({ topic: updateTopics[lane], key: value.recordId, value })));
  }

  /** Records that the writer asked for again. */
  async redriven(): Promise<string[]> {
    return (await this.readAll(topics.changes)).map(({ recordId }) => recordId);
  }

  outcomes(): Promise<Outcome[]> {
    return this.readAll(topics.outcomes);
  }

  /** Outcomes counted by kind and reason. */
  async tally(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { kind, reason } of await this.outcomes()) {
      const name = reason === undefined ? kind : `${kind} ${reason}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  deadLetters(): Promise<DeadLetter[]> {
    return this.readAll(topics.deadLetters);
  }

  identities(): Promise<Identity[]> {
    return this.readAll(topics.identities);
  }

  /** Records that a restart would read again. */
  async uncommitted(): Promise<number> {
    const counts = await Promise.all(
      Object.values(updateTopics).map(async (topic) => {
        const committed = await this.log.committed('sync.iterable-writer', topic);
        const ends = await this.log.offsets(topic);
        return ends.reduce(
          (sum, { partition, earliest, next }) =>
            sum + next - (committed.find((one) => one.partition === partition)?.offset ?? earliest),
          0,
        );
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Writes a user past the writer, as another integration does. */
  async put(user: Readonly<Record<string, unknown>>): Promise<void> {
    const response = await fetch(`${this.settings['ITERABLE_BASE_URL']}/api/users/bulkUpdate`, {
      method: 'POST',
      headers: { 'api-key': 'sandbox', 'content-type': 'application/json' },
      body: JSON.stringify({ users: [user] }),
    });
    const answer = (await response.json()) as { successCount: number };
    if (answer.successCount !== 1) throw new Error(`not written: ${JSON.stringify(answer)}`);
  }

  requests(): readonly LoggedRequest[] {
    return this.sandbox.requests({ endpoint: 'users/bulkUpdate' });
  }

  /** The profile of an update's user, with its data fields at the top; `null`: there is none. */
  profile({
    email,
    userId,
  }: {
    readonly email?: string | null | undefined;
    readonly userId?: string | undefined;
  }): Record<string, unknown> | null {
    const user = this.sandbox.user(typeof email === 'string' ? { email } : { userId: userId ?? '' });
    return user === null ? null : ((user['dataFields'] ?? user) as Record<string, unknown>);
  }

  async close(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.close()));
    await Promise.all(this.logs.map((log) => log.close()));
    await this.sandbox.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private parse(own: Record<string, string> = {}) {
    return loadSettings('iterable-writer', iterableWriterService.settings, { ...this.settings, ...own });
  }

  private async readAll<T>(topic: Topic<T>): Promise<T[]> {
    const values: T[] = [];
    for await (const records of this.log.read(topic, { untilEnd: true })) {
      for (const { value } of records) {
        const decoded = decode(topic, value);
        if (decoded.ok) values.push(decoded.value);
      }
    }
    return values;
  }
}

/** The n-th Lead. */
export function leadId(n: number): string {
  const id = toRecordId(`00Q5f00000${n.toString(36).padStart(5, '0')}`);
  if (id === null) throw new RangeError(`no record id for ${n}`);
  return id;
}

function anUpdate(n: number): UserUpdate {
  return {
    kind: 'update',
    recordType: 'Lead',
    recordId: leadId(n),
    offsets: [`0:${n}`],
    jobIds: [],
    commitTimestamp: Date.now(),
    version: { modstampMs: 1_000, fetchedAtMs: 2_000 },
    email: `user${n}@example.com`,
    dataFields: { Salesforce: { Id: leadId(n) }, Number: n },
  };
}

/** Most requests in any window of so many seconds, by the server's own clock. */
export function mostInWindow(requests: readonly LoggedRequest[], seconds: number): number {
  let first = 0;
  let most = 0;
  requests.forEach(({ at }, index) => {
    while (at - (requests[first]?.at ?? at) > seconds * 1_000) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
}
