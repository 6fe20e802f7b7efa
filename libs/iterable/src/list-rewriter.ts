import { classifyListsAnswer } from './classify-subscriptions.js';
import type { ReadClient, SubscriptionClient, UnsubscribedLists } from './client.js';
import type { EndpointPace } from './endpoint-pace.js';
import { halves, refusedUser, type OptOutVerdict } from './opt-out-verdict.js';
import { normalEmail } from './pack.js';
import type { ProfileKey } from './profile-key.js';
import { classifyReadAnswer, parseProfile, UnusableAnswerError } from './read.js';
import { storedLists, union, widened, type Lists } from './subscription-lists.js';

/** Profiles read before what they lead to is written: at 97 reads a second, half a second between a read and its write. */
const PROFILES_AT_ONCE = 50;
/**
 * How long a read may not show what was written. Iterable speaks of a minute, and of more under load. Milliseconds.
 * Source: Iterable API docs, users/update.
 */
const UNSEEN_FOR_MS = 5 * 60_000;

/**
 * Unsubscribes by replacing lists, where Iterable offers no better: reads a profile, and writes its lists with more in them, never
 * with less (`widened`). Two things could still lose what somebody else unsubscribed, and are kept small:
 *
 * - A change between the read and the write, about half a second and Iterable's own delay: it cannot be closed from outside.
 * - A read that does not show an earlier write yet. Those of this instance are remembered and added; those of others, such as
 *   a person's click in a mail, are unseen for as long as Iterable takes to show them.
 *
 * One caller at a time: two could otherwise read the same lists, and the second's would undo the first's.
 */
export class ListRewriter {
  /** What was written lately, by profile, oldest first. */
  private readonly written = new Map<string, { readonly lists: Lists; readonly atMs: number }>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly client: Pick<ReadClient, 'getUser'> & Pick<SubscriptionClient, 'bulkUpdateSubscriptions'>,
    private readonly pace: EndpointPace,
  ) {}

  /** One verdict a profile, in order. Rejects with the signal's reason on an abort. */
  unsubscribe(profiles: readonly ProfileKey[], lists: Lists, signal: AbortSignal): Promise<OptOutVerdict[]> {
    const mine = this.last.then(() => this.inParts(profiles, lists, signal));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async inParts(profiles: readonly ProfileKey[], lists: Lists, signal: AbortSignal): Promise<OptOutVerdict[]> {
    const verdicts: OptOutVerdict[] = [];
    while (verdicts.length < profiles.length) {
      const part = profiles.slice(verdicts.length, verdicts.length + PROFILES_AT_ONCE);
      const answered = await this.rewrite(part, lists, signal);
      verdicts.push(...answered);
      const [failure] = answered;
      // Nobody of a whole part got through: the others would not either.
      if (failure !== undefined && isWorld(failure) && answered.every(isWorld)) {
        return profiles.map((_, row) => verdicts[row] ?? failure);
      }
    }
    return verdicts;
  }

  private async rewrite(profiles: readonly ProfileKey[], lists: Lists, signal: AbortSignal): Promise<OptOutVerdict[]> {
    signal.throwIfAborted();
    const planned = await Promise.all(profiles.map((profile) => this.plan(profile, lists, signal)));
    const changes = planned.filter((plan) => 'change' in plan);
    const results = changes.length > 0 ? await this.write(changes, lists, signal) : [];
    let next = 0;
    return planned.map((plan) => ('change' in plan ? (results[next++] as OptOutVerdict) : plan));
  }

  /** Reads a profile. What is to be written, or the verdict when nothing is. */
  private async plan(profile: ProfileKey, lists: Lists, signal: AbortSignal): Promise<Plan | OptOutVerdict> {
    const answer = await this.pace.call('users/get', () => this.client.getUser(profile, signal), signal);
    const verdict = classifyReadAnswer(answer);
    if (answer instanceof Error || verdict.kind !== 'read') {
      return verdict.kind === 'dead' ? refusedUser(verdict.code) : (verdict as OptOutVerdict);
    }
    try {
      const found = parseProfile(answer);
      if (found === null) return { kind: 'unknown' };
      const shown = storedLists(found);
      if (shown === null) return UNREADABLE;
      const change = widened(shown, union(this.lately(profile), lists));
      return change === null
        ? { kind: 'already', why: 'unsubscribed' }
        : { profile, change: { ...profile, ...change } };
    } catch (error) {
      if (error instanceof UnusableAnswerError) return UNREADABLE;
      throw error;
    }
  }

  private async write(plans: readonly Plan[], lists: Lists, signal: AbortSignal): Promise<OptOutVerdict[]> {
    const profiles = plans.map(({ profile }) => profile);
    const changes = plans.map(({ change }) => change);
    // Before the answer: a write whose answer is lost may have been applied.
    for (const { profile, change } of plans) this.remember(profile, change);
    const answer = await this.pace.call(
      'users/bulkUpdateSubscriptions',
      () => this.client.bulkUpdateSubscriptions(changes, signal),
      signal,
    );
    const verdict = classifyListsAnswer(profiles, answer);
    if (verdict.kind === 'retry' || verdict.kind === 'refused') return plans.map(() => verdict);
    const alone = plans.length === 1;
    if (verdict.kind === 'split') {
      if (alone) return [refusedUser(verdict.code)];
      // Read again: what was read before is older by a request.
      const parts: OptOutVerdict[] = [];
      for (const part of halves(profiles)) parts.push(...(await this.rewrite(part, lists, signal)));
      return parts;
    }
    const results: OptOutVerdict[] = [];
    for (const [row, user] of verdict.users.entries()) {
      if (user.kind === 'done') results.push(user);
      else if (user.kind === 'failed') results.push({ kind: 'retry', code: 'iterable.unavailable' });
      else if (alone) results.push(refusedUser(user.kind === 'invalid' ? user.code : 'iterable.unknown_failure'));
      // Alone, its verdict is its own; and a profile that has gone since it was read shows as unknown then.
      else results.push(...(await this.rewrite([profiles[row] as ProfileKey], lists, signal)));
    }
    return results;
  }

  private remember(profile: ProfileKey, change: UnsubscribedLists): void {
    const nowMs = this.pace.now();
    for (const [key, { atMs }] of this.written) {
      if (nowMs - atMs < UNSEEN_FOR_MS) break;
      this.written.delete(key);
    }
    const lists = union(this.lately(profile), {
      channelIds: change.unsubscribedChannelIds ?? [],
      messageTypeIds: change.unsubscribedMessageTypeIds ?? [],
    });
    const key = nameOf(profile);
    this.written.delete(key); // inserted anew, so that the map stays in the order of time
    this.written.set(key, { lists, atMs: nowMs });
  }

  private lately(profile: ProfileKey): Lists {
    const found = this.written.get(nameOf(profile));
    return found !== undefined && this.pace.now() - found.atMs < UNSEEN_FOR_MS ? found.lists : NOTHING;
  }
}

interface Plan {
  readonly profile: ProfileKey;
  readonly change: UnsubscribedLists;
}

const isWorld = ({ kind }: OptOutVerdict) => kind === 'retry' || kind === 'refused';
const NOTHING: Lists = { channelIds: [], messageTypeIds: [] };
const UNREADABLE: OptOutVerdict = { kind: 'retry', code: 'iterable.unreadable_answer' };
const nameOf = (key: ProfileKey) => ('email' in key ? `email:${normalEmail(key.email)}` : `id:${key.userId}`);
