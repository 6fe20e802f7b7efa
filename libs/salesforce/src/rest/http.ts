import type { Metrics } from '@libs/observability';
import type { SyncError } from '@libs/contracts';
import { toSalesforceError, toTransportError, type HttpAnswer } from './to-salesforce-error.js';

export type ClientMetrics = Pick<Metrics, 'salesforceRequests' | 'salesforceApiUsed'>;

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is being asked, for the message of an error; without values. */
  readonly doing: string;
  /** The whole call, body included, must end within. Milliseconds. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sends a call and reads its answer. Resolves only for 2xx. */
export type Send = (call: HttpCall) => Promise<HttpAnswer>;

/** `Sforce-Limit-Info: api-usage=18/5000` as a share, or `null`. */
export function apiUsedRatio(header: string | undefined): number | null {
  const usage = /api-usage=(\d+)\/(\d+)/.exec(header ?? '');
  if (usage === null || Number(usage[2]) === 0) return null;
  return Number(usage[1]) / Number(usage[2]);
}

/**
 * One HTTP call with a deadline, counted and classified.
 *
 * jsforce's own transport is not used: it retries for up to 16 s per call behind its caller's back, waits 30 minutes for
 * an answer and for ever for the rest of a body, and a connection cut in the middle of a body is an uncaught exception.
 *
 * Errors: the classes of ../errors.ts; `signal.reason` when the caller gave up.
 */
export function createSend(metrics: ClientMetrics): Send {
  return async ({ method, url, headers, body, doing, deadlineMs, signal }) => {
    const deadline = AbortSignal.timeout(deadlineMs);
    let answer: HttpAnswer;
    try {
      const response = await fetch(url, {
        method,
        headers: { ...headers },
        body: body ?? null,
        redirect: 'manual',
        signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
      });
      answer = {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
      };
    } catch (error) {
      signal?.throwIfAborted();
      const failure = toTransportError(doing, deadline.aborted ? deadline.reason : error);
      metrics.salesforceRequests.inc({ code: deadline.aborted ? 'timeout' : 'network' });
      throw failure;
    }
    metrics.salesforceRequests.inc({ code: String(answer.status) });
    const used = apiUsedRatio(answer.headers['sforce-limit-info']);
    if (used !== null) metrics.salesforceApiUsed.set(used);
    if (answer.status >= 200 && answer.status < 300) return answer;
    const refused: SyncError = toSalesforceError(doing, answer);
    throw refused;
  };
}
