import type { LoggedRequest } from '../../apps/sandbox/src/iterable/index.js';
import { worstWindow, type RequestWindow } from '../support/request-windows.js';

/** A request may be answered so long after it came; until then its entry is read again. Milliseconds. */
const OPEN_MS = 60_000;
export const STORM = 'rate-limit-storm';
const BULK = 'users/bulkUpdate';

/** Reads the sandbox's log bit by bit: it keeps the last 20,000 requests only. */
export class RequestCollector {
  private readonly byNumber = new Map<number, LoggedRequest>();
  private settledUpTo = 0;

  /** `read`: the requests after a number, reads included, oldest first. */
  constructor(private readonly read: (after: number) => Promise<readonly LoggedRequest[]>) {}

  async collect(): Promise<void> {
    const requests = await this.read(this.settledUpTo);
    const openSince = Date.now() - OPEN_MS;
    for (const request of requests) this.byNumber.set(request.number, request);
    const open = requests.findIndex(({ at }) => at >= openSince);
    this.settledUpTo = (open < 0 ? requests.at(-1) : requests[open - 1])?.number ?? this.settledUpTo;
  }

  all(): LoggedRequest[] {
    return [...this.byNumber.values()].toSorted((a, b) => a.number - b.number);
  }
}

export interface RequestSummary {
  readonly requests: number;
  readonly bulk: number;
  /** Users in bulk requests that were answered 200. */
  readonly bulkUsers: number;
  /** Of the bulk requests of at least 10 s, against `5 t + 1`. */
  readonly worst: RequestWindow | null;
  /** 429s of a bucket: nobody else uses the project, so each is our doing. */
  readonly ownRateLimits: number;
  /** How often each fault struck. */
  readonly struck: Readonly<Record<string, number>>;
  /** Share of the bulk requests that were refused as a whole. */
  readonly refusedShare: number;
}

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
