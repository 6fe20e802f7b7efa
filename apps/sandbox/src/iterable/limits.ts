/** A published rate: requests a second, in a bucket that holds one second's worth unless told otherwise. */
export interface Rate {
  perSecond: number;
  /** Whose bucket: most limits are per project, some per API key. */
  per: 'project' | 'key';
}

/** Documented rates by endpoint; an endpoint that is not named has none published. Source: facts/iterable.md §2. */
export const iterableRates: Readonly<Record<string, Rate>> = {
  'POST users/bulkUpdate': { perSecond: 5, per: 'project' },
  'POST users/update': { perSecond: 500, per: 'project' },
  'POST users/merge': { perSecond: 50, per: 'key' },
  'DELETE users/{email}': { perSecond: 100, per: 'project' },
  'DELETE users/byUserId/{userId}': { perSecond: 100, per: 'project' },
  'POST users/forget': { perSecond: 3, per: 'project' },
  'POST users/unforget': { perSecond: 3, per: 'project' },
  'GET users/forgotten': { perSecond: 3, per: 'project' },
  'GET users/forgottenUserIds': { perSecond: 3, per: 'project' },
  'GET users/{email}': { perSecond: 100, per: 'project' },
  'GET users/getByEmail': { perSecond: 100, per: 'project' },
  'GET users/byUserId/{userId}': { perSecond: 100, per: 'project' },
  'GET users/byUserId': { perSecond: 100, per: 'project' },
  'GET users/getFields': { perSecond: 3, per: 'project' },
  'GET channels': { perSecond: 100, per: 'project' },
  'GET messageTypes': { perSecond: 100, per: 'project' },
};

export interface IterableLimits {
  rates: Readonly<Record<string, Rate>>;
  /** Unique user fields of a project. Source: [S], soft limit. */
  maxFields: number;
  /** Longest text value, characters. Source: [D], about 32k. */
  maxValueLength: number;
  /** users/forget and users/unforget, each, in 24 hours. */
  forgetsPerDay: number;
}

export const iterableLimits: IterableLimits = {
  rates: iterableRates,
  maxFields: 1_000,
  maxValueLength: 32_768,
  forgetsPerDay: 1_000,
};
