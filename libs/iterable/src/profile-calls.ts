import type { ProfileClient } from './client.js';
import { classifyProfileAnswer, type ProfileCall, type ProfileVerdict } from './classify-profile.js';
import { answerOf, EndpointPace, type PacedEndpoint } from './endpoint-pace.js';
import type { HttpAnswer } from './http.js';
import { isAddressable, isSameKey } from './profile-key.js';

const ENDPOINTS = {
  'update-email': 'users/updateEmail',
  merge: 'users/merge',
  delete: 'users/delete',
  forget: 'users/forget',
  unforget: 'users/unforget',
} as const satisfies Record<ProfileCall['kind'], PacedEndpoint>;

/** A used-up day is asked about again after this long at the latest: the allowance may have been raised. Milliseconds. */
const ASK_AGAIN_MS = 10 * 60_000;

/**
 * Calls that change a profile as a whole, at the pace of their endpoints. Does not retry, and keeps no order between calls: a
 * caller that wants the second after the first waits for the first's verdict, and for Iterable to have worked on it.
 */
export class ProfileCalls {
  /** Until when the daily allowance of a kind is used up, and when to ask again. By the clock of the pace. */
  private readonly closed = new Map<ProfileCall['kind'], { readonly untilMs: number; readonly askAtMs: number }>();

  constructor(
    private readonly client: ProfileClient,
    private readonly pace: EndpointPace = new EndpointPace(),
  ) {}

  /**
   * Waits for its turn, makes the call, and says what came of it. A 429 is a `retry`, and holds the endpoint for those that come
   * after. While a day's allowance is used up the answer is `daily-limit` at once, mostly without a call. Rejects with the
   * signal's reason on an abort; whether a call on its way was applied is unknown then.
   */
  async run(call: ProfileCall, signal: AbortSignal): Promise<ProfileVerdict> {
    signal.throwIfAborted();
    const known = verdictWithoutCall(call) ?? this.dayIsOver(call);
    if (known !== null) return known;
    const endpoint = ENDPOINTS[call.kind];
    await this.pace.turn(endpoint, signal);
    const meanwhile = this.dayIsOver(call);
    if (meanwhile !== null) return meanwhile;
    const answer = await answerOf(() => send(this.client, call, signal));
    const verdict = classifyProfileAnswer(call, answer);
    if (verdict.kind === 'daily-limit') this.close(call.kind, verdict.retryAfterMs);
    else this.pace.heard(endpoint, answer);
    return verdict;
  }

  private dayIsOver({ kind }: ProfileCall): ProfileVerdict | null {
    const closed = this.closed.get(kind);
    const nowMs = this.pace.now();
    if (closed === undefined || nowMs >= closed.askAtMs) return null;
    return { kind: 'daily-limit', retryAfterMs: Math.ceil(closed.untilMs - nowMs) };
  }

  private close(kind: ProfileCall['kind'], retryAfterMs: number): void {
    const nowMs = this.pace.now();
    this.closed.set(kind, { untilMs: nowMs + retryAfterMs, askAtMs: nowMs + Math.min(retryAfterMs, ASK_AGAIN_MS) });
  }
}

/** The call to make for each kind. */
function send(client: ProfileClient, call: ProfileCall, signal: AbortSignal): Promise<HttpAnswer> {
  if (call.kind === 'update-email') {
    return client.updateEmail({ currentEmail: call.from, newEmail: call.to }, signal);
  }
  if (call.kind === 'merge') return client.mergeUsers({ source: call.source, destination: call.destination }, signal);
  if (call.kind === 'delete') return client.deleteUser(call.profile, signal);
  if (call.kind === 'forget') return client.forgetUser(call.profile, signal);
  return client.unforgetUser(call.profile, signal);
}

/** What is known without asking: a profile stays itself, and no profile has a name that no path can hold. */
function verdictWithoutCall(call: ProfileCall): ProfileVerdict | null {
  if (call.kind === 'update-email' && isSameKey({ email: call.from }, { email: call.to })) {
    return { kind: 'already', why: 'same-profile' };
  }
  if (call.kind === 'merge' && isSameKey(call.source, call.destination))
    return { kind: 'already', why: 'same-profile' };
  if (call.kind === 'delete' && !isAddressable(call.profile)) {
    return { kind: 'dead', code: 'email' in call.profile ? 'iterable.invalid_email' : 'iterable.invalid_user_id' };
  }
  return null;
}
