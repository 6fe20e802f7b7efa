/** The value that a share `q` (0 to 1) of the values does not exceed; the nearest one there is. Input: any order. `null`: no value. */
export function quantile(values: readonly number[], q: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
}

/** Times of many changes, milliseconds. `null`: there was none. With fewer than 100 changes p99 is the longest. */
export interface Spread {
  readonly changes: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly longestMs: number | null;
}

export function spreadOf(timesMs: readonly number[]): Spread {
  const at = (q: number) => quantile(timesMs, q);
  return { changes: timesMs.length, p50Ms: at(0.5), p99Ms: at(0.99), longestMs: at(1) };
}

/** What Iterable allows. */
export interface Allowance {
  readonly requestsPerSecond: number;
  readonly usersPerRequest: number;
}

/** Users written as a share of those allowed while work was waiting. */
export function allowanceUsed(
  users: number,
  seconds: number,
  { requestsPerSecond, usersPerRequest }: Allowance,
): number {
  return users / (requestsPerSecond * usersPerRequest * seconds);
}

/** A request as the sandbox logs it. Times in epoch milliseconds and milliseconds. */
export interface Logged {
  readonly number: number;
  readonly at: number;
  readonly users: number;
  readonly status: number | null;
  readonly durationMs: number | null;
}

/** What some requests did. */
export interface RequestFigures {
  readonly requests: number;
  /** Refused because they came too fast. */
  readonly tooFast: number;
  /** In requests that were answered 200. */
  readonly users: number;
  readonly usersPerRequest: number;
  /** Epoch milliseconds; 0: no request. */
  readonly lastAnswerAt: number;
}

export function figuresOf(logged: readonly Logged[]): RequestFigures {
  const good = logged.filter(({ status }) => status === 200);
  const users = good.reduce((sum, one) => sum + one.users, 0);
  return {
    requests: logged.length,
    tooFast: logged.filter(({ status }) => status === 429).length,
    users,
    usersPerRequest: good.length === 0 ? 0 : users / good.length,
    lastAnswerAt: Math.max(0, ...good.map(({ at, durationMs }) => at + (durationMs ?? 0))),
  };
}
