import { once } from 'node:events';
import { groupOf, isRetryable, leaseRoles, topics } from '@libs/contracts';
import type { Consumer, EventLog, Lease } from '@libs/event-log';
import { pause } from '@libs/salesforce';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Following } from './following.js';
import { Listening, type ListeningParts } from './listening.js';
import { SUBSCRIPTION_CHECK } from './subscription-report.js';

const ROLE = 'cdc-listener';
const JOIN_RETRY_MS = 1_000;

export interface HandlerParts extends Omit<ListeningParts, 'channels' | 'renewed'> {
  readonly log: EventLog;
  readonly following: Pick<Following, 'channels' | 'onOthers' | 'start' | 'close'>;
}

/** Waits for the lease of the role; listens while it is held; stands by otherwise. */
export class CdcListenerHandler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private joining: Promise<void> = Promise.resolve();
  private consumer: Consumer | null = null;
  private listening: Promise<void> = Promise.resolve();
  /** Does another instance hold the lease? */
  private standingBy = false;

  constructor(private readonly parts: HandlerParts) {
    parts.health.set(SUBSCRIPTION_CHECK, false, 'not started yet');
  }

  onApplicationBootstrap(): void {
    this.parts.following.start((error) => this.crashed(error));
    this.joining = this.join().catch((error: unknown) => this.crashed(error));
  }

  /** Finishes the batch in hand and stores the position; only then is the lease given up, so that the next holder has it. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.joining;
    await this.listening.catch(() => undefined);
    await this.consumer?.close();
    await this.parts.following.close();
  }

  private async join(): Promise<void> {
    const { log, health, logger } = this.parts;
    const role = leaseRoles.indexOf(ROLE);
    const lease = { group: groupOf(ROLE), role, topic: topics.leases, onStandby: () => this.standBy() };
    while (!this.stopping.signal.aborted && this.consumer === null) {
      try {
        health.set(SUBSCRIPTION_CHECK, false, 'asking for the lease');
        this.consumer = await log.holdLease(
          lease,
          (held) => this.hold(held),
          (error) => this.crashed(error),
        );
      } catch (error) {
        if (!isRetryable(error)) throw error;
        health.set(SUBSCRIPTION_CHECK, false, 'the event log cannot be reached: trying again');
        logger.warn({ err: error }, 'cannot ask for the lease, will try again');
        await pause(JOIN_RETRY_MS, this.stopping.signal);
      }
    }
  }

  private standBy(): void {
    this.standingBy = true;
    this.parts.health.set(SUBSCRIPTION_CHECK, true, 'standing by: another instance listens');
  }

  private async hold(lease: Lease): Promise<void> {
    this.standingBy = false;
    const signal = AbortSignal.any([lease.signal, this.stopping.signal]);
    this.listening = this.listen(lease, signal);
    await this.listening;
    // Stopped by ourselves: the lease is still ours until the group is left
    if (!lease.signal.aborted) await once(lease.signal, 'abort');
    else this.parts.logger.warn('the lease went to another instance');
    // The generation that made another the holder may have come before this one had stopped.
    if (this.standingBy) this.standBy();
    else this.parts.health.set(SUBSCRIPTION_CHECK, false, 'asking for the lease');
  }

  /** Listens until `signal` aborts; to other channels, with a new subscription, when the mappings ask for others. */
  private async listen(lease: Lease, signal: AbortSignal): Promise<void> {
    const { following } = this.parts;
    const held = remembering(lease);
    for (let renewed = false; !signal.aborted; renewed = true) {
      const others = new AbortController();
      const { channels } = following;
      following.onOthers(() => others.abort());
      // Invariant 1: it ends with its position stored, from which the next one goes on
      await new Listening({ ...this.parts, channels, renewed }, held, AbortSignal.any([signal, others.signal])).run();
    }
  }

  private crashed(error: unknown): void {
    this.parts.health.set(SUBSCRIPTION_CHECK, false, 'stopped by an error');
    this.parts.health.fail(error);
  }
}

/** The lease, its cursor being the last that was stored: for one holder after another in the same holding. */
function remembering(lease: Lease): Lease {
  let { cursor } = lease;
  return {
    signal: lease.signal,
    get cursor() {
      return cursor;
    },
    heartbeatAgeMs: () => lease.heartbeatAgeMs(),
    async saveCursor(text) {
      await lease.saveCursor(text);
      cursor = text;
    },
  };
}
