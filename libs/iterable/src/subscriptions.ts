import type { OptOut } from '@libs/contracts';
import { classifyGroupAnswer } from './classify-subscriptions.js';
import type { ReadClient, SubscriptionClient } from './client.js';
import { EndpointPace } from './endpoint-pace.js';
import { ListRewriter } from './list-rewriter.js';
import { halves, refusedUser, type OptOutVerdict } from './opt-out-verdict.js';
import type { ProfileKey } from './profile-key.js';
import { SubscriptionCatalog } from './subscription-catalog.js';
import { listsOf, type Subscription } from './subscription-lists.js';

/** Users of one request to the group endpoint. No limit is published; that of other bulk calls in practice. */
const USERS_PER_REQUEST = 1_000;
/** A project without the group endpoint is asked for it again after this long. Milliseconds. */
const OFF_FOR_MS = 60 * 60_000;
/** Reading lists waits this long after a call to the group endpoint, whose effect a read may not show before. Milliseconds. Source: Iterable API docs, users/update. */
const SETTLE_MS = 60_000;

/**
 * Opt-outs: unsubscribes, and nothing else. There is no call here that subscribes, and none that makes a list of what a person
 * is unsubscribed from shorter.
 *
 * The group endpoint changes only what it names, so it goes first. Iterable enables it on request; a project without it has the
 * lists of each profile read and replaced, with the window that {@link ListRewriter} describes. Where opt-in message types are
 * enabled, that way leaves `subscribedMessageTypeIds` as it is: have the group endpoint enabled there.
 */
export class Subscriptions {
  private readonly catalog: SubscriptionCatalog;
  private readonly rewriter: ListRewriter;
  private offUntilMs = Number.NEGATIVE_INFINITY;
  private settledAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly client: ReadClient & SubscriptionClient,
    private readonly pace: EndpointPace = new EndpointPace(),
  ) {
    this.catalog = new SubscriptionCatalog(client, pace);
    this.rewriter = new ListRewriter(client, pace);
  }

  /**
   * Unsubscribes each profile from all that the opt-out names; one verdict a profile, in input order. `allMarketing`: the
   * project's channels of type Marketing and medium Email, a new one within an hour. What the opt-out names and the project does
   * not have makes a `dead` verdict, after the rest was unsubscribed. Any call may be repeated. Rejects with the signal's reason.
   *
   * Write the profile first and leave it a minute: of somebody whom it does not know, the group endpoint may say nothing, which
   * is `done` here although nothing is recorded.
   */
  async unsubscribe(
    profiles: readonly ProfileKey[],
    optOut: OptOut,
    signal: AbortSignal,
  ): Promise<readonly OptOutVerdict[]> {
    signal.throwIfAborted();
    if (profiles.length === 0) return [];
    const resolved = await this.catalog.resolve(optOut, signal);
    if (resolved.kind !== 'resolved') return profiles.map(() => resolved);
    const verdicts = await this.apply(profiles, resolved.subscriptions, signal);
    // What the project had when it was asked is gone: another look finds it missing.
    if (verdicts === 'gone') return this.unsubscribe(profiles, optOut, signal);
    if (!resolved.missing) return verdicts;
    return verdicts.map((verdict) =>
      verdict.kind === 'done' || verdict.kind === 'already'
        ? { kind: 'dead', code: 'iterable.unknown_subscription' }
        : verdict,
    );
  }

  private async apply(
    profiles: readonly ProfileKey[],
    subscriptions: readonly Subscription[],
    signal: AbortSignal,
  ): Promise<readonly OptOutVerdict[] | 'gone'> {
    if (subscriptions.length === 0) return profiles.map(() => ({ kind: 'already', why: 'unsubscribed' }));
    if (this.pace.now() >= this.offUntilMs) {
      const verdicts = await this.byGroup(profiles, subscriptions, signal);
      if (verdicts !== 'off') return verdicts;
      this.offUntilMs = this.pace.now() + OFF_FOR_MS;
    }
    const unsettledMs = this.settledAtMs - this.pace.now();
    if (unsettledMs > 0) {
      const retry = { kind: 'retry', code: 'iterable.unavailable', retryAfterMs: Math.ceil(unsettledMs) } as const;
      return profiles.map(() => retry);
    }
    return this.rewriter.unsubscribe(profiles, listsOf(subscriptions), signal);
  }

  /** Everyone from one thing after the other; who failed at one is left out of the next. */
  private async byGroup(
    profiles: readonly ProfileKey[],
    subscriptions: readonly Subscription[],
    signal: AbortSignal,
  ): Promise<OptOutVerdict[] | 'off' | 'gone'> {
    const verdicts: OptOutVerdict[] = profiles.map(() => ({ kind: 'done' }));
    for (const subscription of subscriptions) {
      const open = verdicts.flatMap((verdict, row) => (verdict.kind === 'done' ? [row] : []));
      for (let first = 0; first < open.length; first += USERS_PER_REQUEST) {
        const rows = open.slice(first, first + USERS_PER_REQUEST);
        const named = rows.map((row) => profiles[row] as ProfileKey);
        const answered = await this.fromOne(subscription, named, signal);
        if (typeof answered === 'string') return answered;
        for (const [at, row] of rows.entries()) verdicts[row] = answered[at] as OptOutVerdict;
      }
    }
    return verdicts;
  }

  private async fromOne(
    subscription: Subscription,
    profiles: readonly ProfileKey[],
    signal: AbortSignal,
  ): Promise<OptOutVerdict[] | 'off' | 'gone'> {
    const answer = await this.pace.call(
      'subscriptions/group',
      () => this.client.unsubscribeUsers({ ...subscription, profiles }, signal),
      signal,
    );
    const verdict = classifyGroupAnswer(answer);
    // Also without an answer: the call may have been applied.
    if (verdict.kind === 'done' || answer instanceof Error) this.settledAtMs = this.pace.now() + SETTLE_MS;
    if (verdict.kind === 'off' || verdict.kind === 'split') {
      if (await this.catalog.isGone(subscription, signal)) return 'gone';
    }
    if (verdict.kind === 'off') return 'off';
    if (verdict.kind !== 'split') return profiles.map(() => verdict);
    if (profiles.length === 1) return [refusedUser(verdict.code)];
    const parts: OptOutVerdict[] = [];
    for (const half of halves(profiles)) {
      const part = await this.fromOne(subscription, half, signal);
      if (typeof part === 'string') return part;
      parts.push(...part);
    }
    return parts;
  }
}
