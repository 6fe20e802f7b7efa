import type { HttpAnswer } from './http.js';

/** A hint longer than this is not believed: the next try asks again. Milliseconds. */
const MAX_HINT_MS = 5 * 60_000;

/**
 * How long a 429 or a 503 asks to wait, milliseconds; `undefined` when it does not say.
 * First `params.rateLimitReset` (seconds, a number or a numeric string), else the Retry-After header (seconds or a date).
 * Source: Iterable API docs, users/bulkUpdate 429; Retry-After is not documented, and honoured if present.
 */
export function retryAfterMs(answer: HttpAnswer, params: unknown): number | undefined {
  const hint = waitHintMs(answer, params);
  return hint === undefined ? undefined : Math.min(hint, MAX_HINT_MS);
}

/** The same as it was said, however long: a daily limit opens again after hours. */
export function waitHintMs(answer: HttpAnswer, params: unknown): number | undefined {
  const reset =
    typeof params === 'object' && params !== null ? (params as Record<string, unknown>)['rateLimitReset'] : undefined;
  const header = answer.headers['retry-after'];
  const hint = secondsOf(reset) ?? secondsOf(header) ?? dateOf(header, answer.receivedAtMs);
  return hint === undefined ? undefined : Math.max(0, Math.ceil(hint));
}

/** Seconds as milliseconds. */
function secondsOf(value: unknown): number | undefined {
  if (typeof value === 'string' && value.trim() === '') return undefined;
  const seconds = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function dateOf(value: string | undefined, nowMs: number): number | undefined {
  const time = value === undefined ? Number.NaN : Date.parse(value);
  return Number.isNaN(time) ? undefined : time - nowMs;
}

/**
 * Exponential backoff with full jitter: anything between 0 and min(max, first × 2^attempt), milliseconds.
 * `attempt` counts from 0; `random` is in [0, 1).
 */
export function backoffMs(
  attempt: number,
  random: number,
  limits: { readonly firstMs: number; readonly maxMs: number },
): number {
  return Math.floor(random * Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 30)));
}
