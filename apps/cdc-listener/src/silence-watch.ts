import { identifier, parseSalesforceDateTime, select, type SalesforceClient } from '@libs/salesforce';
import { delivering, judge, SILENCE_TIMINGS, type Look, type Quiet, type SilenceTimings } from './core/silence.js';

/** The newest SystemModstamp of an object, `null` without rows. Epoch milliseconds. Errors: those of the client. */
async function newestStamp(
  client: Pick<SalesforceClient, 'query'>,
  object: string,
  signal: AbortSignal,
): Promise<number | null> {
  const field = 'SystemModstamp';
  // Salesforce reads one entry of the index: cheap however many rows there are
  const soql = `${select({ object: identifier(object), fields: [field] })} ORDER BY ${field} DESC LIMIT 1`;
  const { records } = await client.query(soql, { signal });
  const stamp = records[0]?.[field];
  return typeof stamp === 'string' ? parseSalesforceDateTime(stamp) : null;
}

/**
 * Watches channels that are subscribed and connected but say nothing: the known way in which CometD loses changes
 * (facts/salesforce.md §1.11). Only Salesforce's rows can tell silence from quiet.
 */
export class SilenceWatch {
  private readonly quiet = new Map<string, Quiet>();

  constructor(
    private readonly client: Pick<SalesforceClient, 'query'>,
    private readonly timings: SilenceTimings = SILENCE_TIMINGS,
  ) {}

  /** An event came, or a new subscription began. */
  delivers(channel: string, event: boolean): void {
    const before = this.quiet.get(channel);
    const now = delivering(Date.now(), this.timings, before);
    // A new subscription of a channel that was found dead has yet to prove itself
    const dead = event ? 0 : (before?.dead ?? 0);
    this.quiet.set(channel, {
      ...now,
      dead,
      nextLookMs: Math.max(now.nextLookMs, event ? 0 : (before?.nextLookMs ?? 0)),
    });
  }

  /** Is it time to look at a channel? */
  isDue(channel: string): boolean {
    const quiet = this.quiet.get(channel);
    return quiet !== undefined && Date.now() >= quiet.nextLookMs;
  }

  /** Looks at a channel that {@link isDue}. `null` when events came meanwhile. Errors: those of the client. */
  async look(
    channel: string,
    objects: readonly string[],
    seenStamp: () => number,
    signal: AbortSignal,
  ): Promise<Look | null> {
    const before = this.quiet.get(channel);
    let newest: number | null = null;
    for (const object of objects) {
      const stamp = await newestStamp(this.client, object, signal);
      if (stamp !== null) newest = Math.max(newest ?? 0, stamp);
    }
    const quiet = this.quiet.get(channel);
    if (quiet === undefined || quiet !== before) return null;
    const judged = judge(quiet, { newestStamp: newest, seenStamp: seenStamp() }, Date.now(), this.timings);
    this.quiet.set(channel, judged.quiet);
    return judged.look;
  }

  /** A look failed: the next one is not at once. */
  postpone(channel: string): void {
    const quiet = this.quiet.get(channel);
    if (quiet !== undefined) this.quiet.set(channel, { ...quiet, nextLookMs: Date.now() + this.timings.confirmMs });
  }
}
