import { isRetryable, mappingApplied, topics } from '@libs/contracts';
import type { ParentRules } from '@libs/mapping';
import { decode, type EventLog } from '@libs/event-log';
import type { Logger } from '@libs/observability';
import { pause } from '@libs/salesforce';
import { versionsOf, type LiveMappings } from '@libs/service';
import { defaultChannels, objectsByChannel, sameChannels } from './core/channels.js';

/** Most status messages read back to find which mappings the mapper goes by. */
const READ_BACK = 20_000;
/** Wait before the status messages are followed again. Milliseconds. */
const FOLLOW_AGAIN_MS = 5_000;

export interface FollowingParts {
  readonly log: Pick<EventLog, 'read' | 'offsets'>;
  readonly live: Pick<LiveMappings, 'inForce' | 'onNews' | 'start' | 'close'>;
  /** SALESFORCE_CHANNELS; absent: what the mappings ask for. */
  readonly channels: readonly string[] | undefined;
  readonly parents: ParentRules;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** For tests. */
  readonly pause?: typeof pause;
}

/** What the two kinds of news have in common: the versions that the mapper goes by. */
const mapperVersions = mappingApplied.pick({ versions: true });

/**
 * What is listened to, by mappings that may change: the listener has the files, but it is the mapper that records go through,
 * and it may see an edit sooner or later than this, or refuse it. So nothing is given up (a channel, an update that touches
 * no mapped field) before the mapper says that it goes by the very same mappings.
 */
export class Following {
  private current: ReadonlyMap<string, readonly string[]>;
  /** Of the mapper, by its last word; `null`: it has said nothing. */
  private mapper: Readonly<Record<string, string>> | null = null;
  private same = true;
  private others: () => void = () => undefined;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly parts: FollowingParts) {
    this.current = this.wanted();
    parts.live.onNews((news) => {
      if (news.kind === 'applied') this.compare();
    });
  }

  /** The channels, and what each is to tell of. */
  get channels(): ReadonlyMap<string, readonly string[]> {
    return this.current;
  }

  /** Does the mapper go by the same mappings, as far as is known? */
  get agreed(): boolean {
    return this.same;
  }

  /** Calls back when {@link channels} are others than they are now. One listener: the last one given. */
  onOthers(listener: () => void): void {
    this.others = listener;
  }

  start(onBug: (error: unknown) => void): void {
    this.parts.live.start();
    this.running = this.followMapper().catch(onBug);
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.parts.live.close();
  }

  private async followMapper(): Promise<void> {
    const { log, logger } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const ends = await log.offsets(topics.status);
        const from = Object.fromEntries(
          ends.map(({ partition, earliest, next }) => [partition, Math.max(earliest, next - READ_BACK)]),
        );
        for await (const records of log.read(topics.status, { from, signal })) {
          for (const { value } of records) this.hear(value);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!isRetryable(error)) throw error;
        logger.warn({ err: error }, 'cannot follow which mappings the mapper goes by, will try again');
      }
      await (this.parts.pause ?? pause)(FOLLOW_AGAIN_MS, signal);
    }
  }

  private hear(value: string | null): void {
    const decoded = decode(topics.status, value);
    if (!decoded.ok || !['mapping-applied', 'mapping-refused'].includes(decoded.value.type)) return;
    const told = mapperVersions.safeParse(decoded.value.data);
    if (!told.success) return;
    this.mapper = told.data.versions;
    this.compare();
  }

  private compare(): void {
    const { logger, live } = this.parts;
    const before = this.same;
    this.same = this.mapper === null || sameVersions(this.mapper, versionsOf(live.inForce));
    if (before !== this.same) {
      const text = this.same
        ? 'the mapper goes by the same mappings'
        : 'the mapper goes by other mappings: until it does not, every change is published';
      logger.info({ versions: versionsOf(live.inForce), mapper: this.mapper }, text);
    }
    const wanted = this.wanted();
    if (sameChannels(wanted, this.current)) return;
    logger.info({ channels: [...wanted.keys()] }, 'the mappings ask for other channels: making a new subscription');
    this.current = wanted;
    this.others();
  }

  private wanted(): Map<string, readonly string[]> {
    const { live, channels, parents } = this.parts;
    const asked = channels ?? defaultChannels(live.inForce, parents);
    const wanted = objectsByChannel(asked, live.inForce, parents);
    if (this.same || channels !== undefined) return wanted;
    return new Map([...this.current, ...wanted]);
  }
}

function sameVersions(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const objects = Object.keys(a);
  return objects.length === Object.keys(b).length && objects.every((object) => a[object] === b[object]);
}
