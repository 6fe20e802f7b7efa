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

export interface IterableClient {
  /**
   * POST /api/users/bulkUpdate with a body made by `encodeRequest`. Any HTTP answer resolves; give it to `classifyBulkAnswer`.
   * Errors: `IterableUnreachableError`, `IterableTimeoutError`; an abort by `signal` rejects with the signal's reason.
   */
  bulkUpdateUsers(body: string, signal?: AbortSignal): Promise<HttpAnswer>;
}

/** A client of one project. Connections are kept alive by the runtime's fetch. No retry, no pace: those are the caller's. */
export function createIterableClient(options: IterableClientOptions): IterableClient {
  const headers = {
    'api-key': options.apiKey,
    'content-type': 'application/json',
    'user-agent': options.userAgent,
  };
  const url = `${options.baseUrl.replace(/\/+$/, '')}/api/users/bulkUpdate`;
  return {
    async bulkUpdateUsers(body, signal) {
      const timeout = AbortSignal.timeout(options.timeoutMs);
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers,
          body,
          // A redirect would repeat the POST as a GET: a moved address is a wrong setting, not a place to follow.
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
        throw toIterableError(error, 'POST /api/users/bulkUpdate');
      }
    },
  };
}
