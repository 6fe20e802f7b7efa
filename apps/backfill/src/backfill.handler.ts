import { Controller, Inject } from '@nestjs/common';
import { topics, type Command } from '@libs/contracts';
import { OnBatch, type Batch, type Claim } from '@libs/event-log';
import { Session, type SessionParts } from './session.js';

export const SESSION_PARTS = Symbol('session parts');

/** Commands in, jobs and answers out. Whoever owns the one partition of the admin topic runs the jobs. */
@Controller()
export class BackfillHandler {
  private current: { readonly claim: Claim; readonly session: Session } | null = null;

  constructor(@Inject(SESSION_PARTS) private readonly parts: SessionParts) {}

  /** Called when the partition becomes ours: jobs go on without waiting for a command. */
  activate(claim: Claim): Session {
    if (this.current?.claim !== claim) this.current = { claim, session: new Session(this.parts, claim.signal) };
    return this.current.session;
  }

  @OnBatch(topics.commands)
  async onCommands(batch: Batch<Command>): Promise<void> {
    const session = this.activate(batch.claim);
    for (const { value } of batch.records) await session.command(value);
  }
}
