/** One request as it arrived and was answered. */
export interface LoggedRequest {
  /** Counts from 1, in order of arrival. */
  number: number;
  /** Arrival, epoch milliseconds of the machine's clock, which rates are measured by; the sandbox's own may have jumped. */
  at: number;
  method: string;
  /** As documented, e.g. `users/bulkUpdate`; the path where it is none. */
  endpoint: string;
  path: string;
  bytes: number;
  /** Users named in the request. */
  users: number;
  /** null: not answered (yet), or the connection was broken. */
  status: number | null;
  durationMs: number | null;
  /** The faults that struck it. */
  faults: string[];
}

/** Which requests to list. All conditions must hold. */
export interface RequestFilter {
  /** Only requests after this number. */
  after?: number;
  /** Only requests that arrived at or after this time, epoch milliseconds. */
  since?: number;
  endpoint?: string;
  /** Only requests naming this user, by email (any case) or user id. */
  email?: string;
  userId?: string;
  /** The last so many; with `after`, the first so many behind it, so that all can be read page by page. */
  limit?: number;
  /** Writes only. */
  writes?: boolean;
}

/** At a bucket's 5 a second, with as many again refused, some three hours. */
const CAPACITY = 100_000;
/** Bodies kept for looking into, bytes of text. */
const BODY_BYTES = 32 * 1024 * 1024;

/** The last requests, bounded in number and in bytes; the bodies of the latest are kept whole. */
export class RequestLog {
  private entries: LoggedRequest[] = [];
  private bodies = new Map<number, string>();
  private bodyBytes = 0;
  private count = 0;

  add(arrived: Pick<LoggedRequest, 'at' | 'method' | 'endpoint' | 'path'>): LoggedRequest {
    this.count += 1;
    const entry: LoggedRequest = {
      number: this.count,
      ...arrived,
      bytes: 0,
      users: 0,
      status: null,
      durationMs: null,
      faults: [],
    };
    this.entries.push(entry);
    if (this.entries.length > CAPACITY * 1.1) this.entries = this.entries.slice(-CAPACITY);
    return entry;
  }

  keepBody(entry: LoggedRequest, body: string): void {
    this.bodies.set(entry.number, body);
    this.bodyBytes += body.length;
    for (const [number, old] of this.bodies) {
      if (this.bodyBytes <= BODY_BYTES) break;
      this.bodies.delete(number);
      this.bodyBytes -= old.length;
    }
  }

  get total(): number {
    return this.count;
  }

  /**
   * Requests that match, oldest first. With a user named, each comes with that user's entries of its body; requests whose body
   * is no longer kept cannot match then.
   */
  list(filter: RequestFilter = {}): Array<LoggedRequest & { entries?: unknown[] }> {
    const email = filter.email?.toLowerCase();
    const byUser = email !== undefined || filter.userId !== undefined;
    const found: Array<LoggedRequest & { entries?: unknown[] }> = [];
    for (const entry of this.entries) {
      if (filter.after !== undefined && entry.number <= filter.after) continue;
      if (filter.since !== undefined && entry.at < filter.since) continue;
      if (filter.endpoint !== undefined && entry.endpoint !== filter.endpoint) continue;
      if (filter.writes === true && entry.method === 'GET') continue;
      if (!byUser) {
        found.push(entry);
        continue;
      }
      const entries = this.entriesOf(entry, email, filter.userId);
      if (entries.length > 0) found.push({ ...entry, entries });
    }
    return pageOf(found, filter);
  }

  reset(): void {
    this.entries = [];
    this.bodies.clear();
    this.bodyBytes = 0;
    this.count = 0;
  }

  private entriesOf(entry: LoggedRequest, email: string | undefined, userId: string | undefined): unknown[] {
    const body = this.bodies.get(entry.number);
    // Most bodies are ruled out by a look at the text. JSON may escape a character: then the text look is not enough.
    if (body === undefined) return [];
    if (!body.includes('\\') && userId !== undefined && !body.includes(userId)) return [];
    if (!body.includes('\\') && email !== undefined && !body.toLowerCase().includes(email)) return [];
    return usersOf(body).filter((user) => names(user, email, userId));
  }
}

/** What a filter's limit leaves of the requests that match. */
export function pageOf<T>(found: readonly T[], { after, limit }: Pick<RequestFilter, 'after' | 'limit'>): T[] {
  if (limit === undefined) return [...found];
  return after === undefined ? found.slice(-limit) : found.slice(0, limit);
}

const EMAIL_MEMBERS = ['email', 'currentEmail', 'newEmail', 'sourceEmail', 'destinationEmail'];
const USER_ID_MEMBERS = ['userId', 'currentUserId', 'sourceUserId', 'destinationUserId'];

function names(user: Record<string, unknown>, email: string | undefined, userId: string | undefined): boolean {
  const data = typeof user['dataFields'] === 'object' ? (user['dataFields'] as Record<string, unknown> | null) : null;
  const emails = [...EMAIL_MEMBERS.map((member) => user[member]), data?.['email']];
  const userIds = [...USER_ID_MEMBERS.map((member) => user[member]), data?.['userId']];
  return (
    (email === undefined || emails.some((one) => typeof one === 'string' && one.toLowerCase() === email)) &&
    (userId === undefined || userIds.includes(userId))
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Every user that a body names, as objects. */
function usersOf(body: string): Array<Record<string, unknown>> {
  try {
    const parsed = JSON.parse(body) as Record<string, unknown> | null;
    const users = parsed?.['users'] ?? parsed?.['updateSubscriptionsRequests'];
    const userIds = parsed?.['usersByUserId'];
    if (users === undefined && userIds === undefined) return [parsed].filter(isRecord);
    return [
      ...(Array.isArray(users) ? users : []).map((user: unknown) =>
        typeof user === 'string' ? { email: user } : user,
      ),
      ...(Array.isArray(userIds) ? userIds : []).map((userId: unknown) => ({ userId })),
    ].filter(isRecord);
  } catch {
    return []; // a body that is not JSON names nobody
  }
}
