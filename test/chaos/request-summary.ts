import type { LoggedRequest } from '../../apps/sandbox/src/iterable/index.js';
import { worstWindow, type RequestWindow } from '../support/request-windows.js';

const STORM = 'rate-limit-storm';
const BULK = 'users/bulkUpdate';

export interface RequestSummary {
  readonly requests: number;
  readonly bulk: number;
  /** Users in bulk requests that were answered 200. */
  readonly bulkUsers: number;
  /** Of all windows of at least 10 s the worst one of bulk requests, against `5 t + 1`. */
  readonly worst: RequestWindow | null;
  /** 429s of a bucket: nobody else uses the project, so each is our doing. */
  readonly ownRateLimits: number;
  /** Requests that met each fault; one that picks out users is met by every bulk request. */
  readonly struck: Readonly<Record<string, number>>;
  /** Share of the bulk requests that were refused as a whole. */
  readonly refusedShare: number;
}

/** What the server saw, in order of arrival. */
export function summarize(requests: readonly LoggedRequest[]): RequestSummary {
  const bulk = requests.filter(({ endpoint }) => endpoint === BULK);
  const struck: Record<string, number> = {};
  for (const { faults } of requests) for (const fault of faults) struck[fault] = (struck[fault] ?? 0) + 1;
  const answered = bulk.filter(({ status }) => status === 200);
  return {
    requests: requests.length,
    bulk: bulk.length,
    bulkUsers: answered.reduce((sum, { users }) => sum + users, 0),
    worst: worstWindow(
      bulk.map(({ at }) => at),
      5,
      10,
    ),
    ownRateLimits: requests.filter(({ status, faults }) => status === 429 && !faults.includes(STORM)).length,
    struck,
    refusedShare: bulk.filter(({ status }) => status === 400).length / Math.max(1, bulk.length),
  };
}
