/** Largest body of a bulk call that we send, bytes. Documented: 4 MB, without saying which. Source: Iterable API docs, users/bulkUpdate. */
export const MAX_REQUEST_BYTES = 3_800_000;

/** What a request may say beside its users. */
export interface RequestOptions {
  /** Are fields that the project does not have created, or dropped? Left out: by the project's own setting. */
  readonly createNewFields?: boolean;
}

/** Of a body without users, whatever the options: how many users fit does not depend on them. */
const EMPTY_BYTES = encodeRequest([], { createNewFields: false }).length;

/** One user of users/bulkUpdate. */
export interface BulkUser {
  readonly email?: string;
  readonly userId?: string;
  readonly mergeNestedObjects?: boolean;
  readonly dataFields: Readonly<Record<string, unknown>>;
}

/** A user serialized once: for its size, the request body, and the reading of the answer. */
export interface PackedUser {
  readonly json: string;
  /** Of `json` in UTF-8. */
  readonly bytes: number;
  /** Every identifier an answer may name it by; emails in lower case, as Iterable stores them. Distinct. */
  readonly emails: readonly string[];
  readonly userIds: readonly string[];
}

export function packUser(user: BulkUser): PackedUser {
  const json = JSON.stringify(user);
  return {
    json,
    bytes: Buffer.byteLength(json),
    emails: distinct(
      [user.email, user.dataFields['email']].map((email) =>
        typeof email === 'string' ? normalEmail(email) : undefined,
      ),
    ),
    userIds: distinct([user.userId, user.dataFields['userId']]),
  };
}

/** An email as Iterable compares it. Source: Iterable support, 209082806 (stored in lower case). */
export function normalEmail(email: string): string {
  return email.trim().toLowerCase();
}

function distinct(values: readonly unknown[]): string[] {
  return [...new Set(values.filter((value): value is string => typeof value === 'string'))];
}

export interface RequestLimits {
  readonly maxUsers: number;
  readonly maxBytes: number;
}

/** Is the user alone larger than a request may be? */
export function isTooLarge(user: PackedUser, limits: Pick<RequestLimits, 'maxBytes'>): boolean {
  return EMPTY_BYTES + user.bytes > limits.maxBytes;
}

export interface Packed<T> {
  readonly request: readonly T[];
  readonly rest: readonly T[];
  /** Larger alone than a request may be: they can never be sent. */
  readonly tooLarge: readonly T[];
}

/**
 * Takes users for one request, in input order, as long as count and bytes allow.
 * A user that shares an identifier with one before it waits in `rest`: the order of two entries for one profile inside a
 * request is not promised. `rest` keeps the input order; request + rest + tooLarge is the input.
 */
export function packRequest<T extends PackedUser>(users: Iterable<T>, limits: RequestLimits): Packed<T> {
  const request: T[] = [];
  const rest: T[] = [];
  const tooLarge: T[] = [];
  const taken = new Set<string>();
  let bytes = EMPTY_BYTES;
  let full = false;
  for (const user of users) {
    if (isTooLarge(user, limits)) {
      tooLarge.push(user);
      continue;
    }
    const keys = profileKeys(user);
    const size = user.bytes + (request.length > 0 ? 1 : 0);
    full ||= request.length >= limits.maxUsers || bytes + size > limits.maxBytes;
    if (full || keys.some((key) => taken.has(key))) {
      rest.push(user);
    } else {
      request.push(user);
      bytes += size;
    }
    // Also those of a user that waits: a later one of the same profile must not overtake it.
    for (const key of keys) taken.add(key);
  }
  return { request, rest, tooLarge };
}

/** What two entries for one profile have in common, at least one of. */
export function profileKeys(user: PackedUser): string[] {
  return [...user.emails.map((email) => `email:${email}`), ...user.userIds.map((id) => `id:${id}`)];
}

/** The body of users/bulkUpdate. Source of `createNewFields`: Iterable API docs, users/bulkUpdate. */
export function encodeRequest(users: readonly PackedUser[], { createNewFields }: RequestOptions = {}): string {
  const options = createNewFields === undefined ? '' : `"createNewFields":${createNewFields},`;
  return `{${options}"users":[${users.map((user) => user.json).join(',')}]}`;
}
