import { Controller, Inject, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { BACKFILL_TARGET, DEAD_LETTERS_TARGET, targetOfCommand, topics, type Command } from '@libs/contracts';
import { OnBatch, type Batch, type Claim, type EventLogServer } from '@libs/event-log';
import type { LiveMappings } from '@libs/service';
import { Session, type SessionParts } from './session.js';

export const SESSION_PARTS = Symbol('session parts');
export const MAPPINGS = Symbol('mappings');
export const SERVER = Symbol('event-log server');

/** Whose commands are answered here. A type of nobody's (`null`) is too: a command must not vanish. */
const TARGETS: ReadonlySet<string | null> = new Set([BACKFILL_TARGET, DEAD_LETTERS_TARGET, null]);

/** Commands in, jobs and answers out. Whoever owns the one partition of the admin topic runs the jobs. */
@Controller()
export class BackfillHandler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private current: { readonly claim: Claim; readonly session: Session } | null = null;

  constructor(
    @Inject(SESSION_PARTS) private readonly parts: SessionParts,
    @Inject(SERVER) server: EventLogServer,
    @Inject(MAPPINGS) private readonly mappings: Pick<LiveMappings, 'start' | 'close'>,
  ) {
    // Jobs go on when the partition becomes ours, without waiting for a command.
    server.onAssigned((claims) => {
      for (const claim of claims) this.sessionOf(claim);
      if (claims.length === 0) parts.health.set('backfill', true, 'standing by');
    });
  }

  onApplicationBootstrap(): void {
    this.mappings.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.mappings.close();
  }

  private sessionOf(claim: Claim): Session {
    if (this.current?.claim !== claim) this.current = { claim, session: new Session(this.parts, claim.signal) };
    return this.current.session;
  }

  @OnBatch(topics.commands)
  async onCommands(batch: Batch<Command>): Promise<void> {
    const session = this.sessionOf(batch.claim);
    for (const { value } of batch.records) {
      if (TARGETS.has(targetOfCommand(value.type))) await session.command(value);
    }
  }
}
