import { BACKFILL_TARGET, topics, type Command, type Status } from '@libs/contracts';
import type { EventLog, Outgoing } from '@libs/event-log';
import type { Logger, Metrics } from '@libs/observability';
import { due, holeId, toCatchUp, type PendingHole } from './core/holes.js';
import type { OpenHoles } from './open-holes.js';

/** Shortest time between two catch-ups of one object. Milliseconds. */
export const SPACING_MS = 60_000;

const BY = 'cdc-listener';

/** Tells the hole, then orders the catch-up with the same id: a crash in between is mended by doing both again. */
function toMessages(holes: readonly PendingHole[], now: number): Outgoing[] {
  const told = holes.map((hole): Outgoing<Status> => {
    const { object, hole: bounds } = toCatchUp(hole);
    const id = holeId(hole);
    return {
      topic: topics.status,
      key: id,
      value: { id, type: 'hole-opened', data: { object, ...bounds }, time: now, by: BY },
    };
  });
  const ordered = holes.map((hole): Outgoing<Command> => {
    const value = { id: holeId(hole), type: 'backfill.start', data: toCatchUp(hole), by: BY };
    return { topic: topics.commands, key: BACKFILL_TARGET, value };
  });
  return [...told, ...ordered];
}

/** Orders the catch-ups of pending holes, not more often than makes sense. */
export class HoleOpener {
  private readonly lastMs = new Map<string, number>();

  constructor(
    private readonly log: Pick<EventLog, 'append'>,
    private readonly metrics: Pick<Metrics, 'listenerHoles'>,
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly open: Pick<OpenHoles, 'countOf'>,
    private readonly spacingMs = SPACING_MS,
  ) {}

  /** Those whose time has come. */
  due(pending: readonly PendingHole[], now: number): PendingHole[] {
    const orderedOf = (object: string) => ({
      lastMs: this.lastMs.get(object) ?? null,
      open: this.open.countOf(object),
    });
    return due(pending, orderedOf, this.spacingMs, now);
  }

  /** Resolves when holes and catch-ups are durable. Errors: the log's. */
  async order(holes: readonly PendingHole[]): Promise<void> {
    await this.log.append(toMessages(holes, Date.now()));
    for (const hole of holes) {
      const { object, reason, fromMs } = hole;
      this.lastMs.set(object, Date.now());
      this.metrics.listenerHoles.inc({ reason });
      this.logger.warn(
        { object, reason, from: new Date(fromMs).toISOString(), job: holeId(hole) },
        'changes may be missing: a catch-up is ordered',
      );
    }
  }
}
