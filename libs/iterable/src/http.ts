import { toIterableError } from './errors.js';

/** An answer as it came: tolerant readers decide what it means. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Epoch milliseconds. */
  readonly receivedAtMs: number;
}

export interface IterableClientOptions {
  /** `https://api.iterable.com` or the EU's. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Longest wait for the whole answer. Milliseconds. */
  readonly timeoutMs: number;
  readonly userAgent: string;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The documented path without identifiers: it may stand in logs and errors. */
  readonly name: string;
  /** Below `/api/`, encoded, with the query. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
}

/** Makes the one function that all calls go through: key, timeout, no redirect, and our errors for what fetch throws. */
export function createSender(
  options: IterableClientOptions,
): (call: HttpCall, signal: AbortSignal | undefined) => Promise<HttpAnswer> {
  const headers = { 'api-key': options.apiKey, 'user-agent': options.userAgent };
  const withBody = { ...headers, 'content-type': 'application/json' };
  const base = `${options.baseUrl.replace(/\/+$/, '')}/api/`;
  return async ({ method, name, path, body }, signal) => {
    const timeout = AbortSignal.timeout(options.timeoutMs);
    try {
      const response = await fetch(base + path, {
        method,
        headers: body === undefined ? headers : withBody,
        ...(body === undefined ? {} : { body }),
        // A redirect would repeat a POST as a GET: a moved address is a wrong setting, not a place to follow.
        redirect: 'manual',
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        text: await response.text(),
        receivedAtMs: Date.now(),
      };
    } catch (error) {
      throw toIterableError(error, `${method} /api/${name}`);
    }
  };
}
