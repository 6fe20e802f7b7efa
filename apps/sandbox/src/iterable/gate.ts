import type { SandboxClock } from '../clock.js';
import { envelope, html, type Answer } from './answers.js';
import type { FaultOptions } from './fault-kinds.js';
import type { JsonObject } from './project/json.js';
import type { IterableLimits } from './limits.js';
import type { IterableSwitches } from './switches.js';
import { TokenBucket, type Taken } from './token-bucket.js';

/** Keys that open the project: one of each type. */
export interface ApiKeys {
  serverSide: string;
  clientSide: string;
}
export type KeyType = 'ServerSide' | 'ClientSide';

/** Endpoints that a client-side key may call. Source: facts/iterable.md §2, §5. */
const OPEN_TO_CLIENTS = new Set(['POST users/update', 'GET users/getByEmail', 'GET users/byUserId']);

/** The 401 of a key that is unknown, disabled or not allowed to do this. Source: samples, error-401-bad-api-key. */
export function badApiKey(path: string, ip: string, keyType?: KeyType): Answer {
  const known: JsonObject = keyType === undefined ? {} : { apiKeyIdentifier: '0a1b2c3d', apiKeyType: keyType };
  const msg = keyType === undefined ? 'Invalid API key' : 'Disabled API key or insufficient privileges';
  return envelope(401, 'BadApiKey', msg, { ip, endpoint: path, ...known });
}

/** Which key is it, and may it call this endpoint? */
export function checkKey(
  key: string | undefined,
  keys: ApiKeys,
  endpoint: string,
  path: string,
  ip: string,
): { ok: true; keyType: KeyType } | { ok: false; answer: Answer } {
  if (key === keys.serverSide) return { ok: true, keyType: 'ServerSide' };
  if (key !== keys.clientSide || key === '') return { ok: false, answer: badApiKey(path, ip) };
  if (endpoint === 'POST users/merge') {
    const msg = 'Merging known user profiles is forbidden with specific API key type. Use a server-side key';
    return { ok: false, answer: envelope(403, 'Forbidden', msg) };
  }
  if (!OPEN_TO_CLIENTS.has(endpoint)) return { ok: false, answer: badApiKey(path, ip, 'ClientSide') };
  return { ok: true, keyType: 'ClientSide' };
}

/** The 413 or 400 of a body over the limit. */
export function oversized(how: IterableSwitches['oversizedBody']): Answer {
  if (how === '413-html') return html(413, '413 Request Entity Too Large');
  return envelope(how === '413-json' ? 413 : 400, 'BatchTooLarge', 'The request body is too large');
}

/** The 429, with the hints that the switches allow. Source: facts/iterable.md §1.5. */
export function rateLimited(taken: Taken, switches: IterableSwitches): Answer {
  const number = (value: number) => (switches.numbersAsStrings ? String(value) : value);
  const answer = envelope(
    429,
    'RateLimitExceeded',
    'Exceeded rate limit.',
    switches.rateLimitHints
      ? {
          rateLimitLimit: number(taken.limit),
          rateLimitRemaining: number(taken.remaining),
          rateLimitReset: number(taken.resetSeconds),
        }
      : null,
  );
  if (switches.retryAfterHeader) answer.headers = { 'Retry-After': String(taken.resetSeconds) };
  return answer;
}

/** A 429 of the storm fault: by default it looks like a real one. */
export function stormed(fault: FaultOptions<'rate-limit-storm'>, switches: IterableSwitches): Answer {
  const taken = { allowed: false, limit: switches.bulkBucketCapacity, remaining: 0, resetSeconds: fault.resetSeconds };
  return rateLimited(taken, { ...switches, rateLimitHints: fault.hints && switches.rateLimitHints });
}

/** The buckets of a project, and the daily caps of forget and unforget. */
export class RateGate {
  private readonly buckets = new Map<string, { bucket: TokenBucket; capacity: number }>();
  private readonly daily = new Map<string, number[]>();

  constructor(
    private readonly limits: IterableLimits,
    private readonly clock: SandboxClock,
    private readonly switches: () => IterableSwitches,
  ) {}

  /** Lets a request in, or gives the 429. `refund` undoes it. */
  enter(endpoint: string, keyType: KeyType): { answer: Answer | null; refund: () => void } {
    const switches = this.switches();
    const bucket = this.bucketOf(endpoint, keyType);
    const taken = bucket?.take(this.clock.now(), switches.throttledRequestsConsume);
    if (taken?.allowed === false) return { answer: rateLimited(taken, switches), refund: () => {} };
    const capped = this.enterDay(endpoint);
    return { answer: capped && rateLimited(capped, switches), refund: () => bucket?.refund() };
  }

  reset(): void {
    this.buckets.clear();
    this.daily.clear();
  }

  /** The bucket that a request draws on; null where no rate is published. */
  private bucketOf(endpoint: string, keyType: KeyType): TokenBucket | null {
    const rate = this.limits.rates[endpoint];
    if (rate === undefined) return null;
    const name = rate.per === 'key' ? `${endpoint} ${keyType}` : endpoint;
    const capacity = endpoint === 'POST users/bulkUpdate' ? this.switches().bulkBucketCapacity : rate.perSecond;
    const known = this.buckets.get(name);
    if (known?.capacity === capacity) return known.bucket;
    const bucket = new TokenBucket(rate.perSecond, capacity, this.clock.now());
    this.buckets.set(name, { bucket, capacity });
    return bucket;
  }

  private enterDay(endpoint: string): Taken | null {
    if (endpoint !== 'POST users/forget' && endpoint !== 'POST users/unforget') return null;
    const dayMs = 86_400_000;
    const now = this.clock.now();
    const recent = (this.daily.get(endpoint) ?? []).filter((at) => at > now - dayMs);
    const limit = this.limits.forgetsPerDay;
    if (recent.length < limit) {
      this.daily.set(endpoint, [...recent, now]);
      return null;
    }
    const resetSeconds = Math.ceil(((recent[0] ?? now) + dayMs - now) / 1000);
    return { allowed: false, limit, remaining: 0, resetSeconds };
  }
}
