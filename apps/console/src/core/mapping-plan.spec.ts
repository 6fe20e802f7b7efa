import { describe, expect, it } from 'vitest';
import { noMappingHistory, type MappingHistory } from './mapping-history.js';
import { costOf, isCostly, planMappings, startable } from './mapping-plan.js';
import type { PlanState } from './plan-answers.js';

const CHANGED = Date.UTC(2026, 10, 24, 12);
const HOUR = 3_600_000;
const inForce = { version: 'v2', sinceMs: CHANGED, certain: true };
const history = (over: Partial<MappingHistory> = {}): MappingHistory => {
  return { ...noMappingHistory, versions: new Map([['Lead', inForce]]), ...over };
};
const completed = (startedMs: number) => new Map([['Lead', { id: 'old', startedMs }]]);
const running = (startedMs: number) => new Map([['now', { id: 'now', object: 'Lead', startedMs }]]);
const uncertain = new Map([['Lead', { ...inForce, certain: false }]]);

describe('planMappings', () => {
  it.each<[string, MappingHistory, Record<string, string> | null, PlanState, string]>([
    [
      'backfilled after the change',
      history({ completed: completed(CHANGED) }),
      null,
      'done',
      'backfilled with this version, started 2026-11-24 12:00 UTC',
    ],
    [
      'backfilled before the change only',
      history({ completed: completed(CHANGED - HOUR) }),
      null,
      'needed',
      'this version is in force since 2026-11-24 12:00 UTC; the last backfill of all records was started before, 2026-11-24 11:00 UTC',
    ],
    [
      'never backfilled',
      history(),
      null,
      'needed',
      'this version is in force since 2026-11-24 12:00 UTC, and no backfill of all records came after',
    ],
    [
      'being backfilled',
      history({ running: running(CHANGED + HOUR) }),
      null,
      'running',
      'it runs with this version since 2026-11-24 13:00 UTC',
    ],
    ['being backfilled since before the change', history({ running: running(CHANGED - 1) }), null, 'needed', ''],
    [
      'a log that does not go back far enough',
      history({ versions: uncertain, completed: completed(CHANGED - HOUR), complete: false }),
      null,
      'unknown',
      'the log does not say since when this version is in force (before 2026-11-24 12:00 UTC), nor of a backfill since',
    ],
    [
      'the same, with a backfill since',
      history({ versions: uncertain, completed: completed(CHANGED + 1), complete: false }),
      null,
      'done',
      '',
    ],
    ['files that are in force', history(), { Lead: 'v2' }, 'needed', ''],
    [
      'files that are not in force',
      history({ completed: completed(CHANGED) }),
      { Lead: 'v3' },
      'not-in-force',
      'the file here is not what is in force; it needs a backfill once it is',
    ],
    [
      'a directory without its file',
      history(),
      {},
      'removed',
      'no file here maps it: without one its profiles keep what they have',
    ],
  ])('%s', (_, given, local, state, reason) => {
    const [planned] = planMappings(given, local);
    expect(planned).toMatchObject({ object: 'Lead', state, inForce: { version: 'v2', since: CHANGED } });
    expect(planned?.reason).toContain(reason);
  });

  it('names what is to be shipped and the last backfill', () => {
    expect(planMappings(history({ completed: completed(7) }), { Lead: 'v3' })).toEqual([
      expect.objectContaining({ file: { version: 'v3' }, lastBackfill: { id: 'old', startedAt: 7 } }),
    ]);
    expect(planMappings(noMappingHistory, { Plan__c: 'v1' })).toEqual([
      {
        object: 'Plan__c',
        state: 'not-in-force',
        reason: 'its mapping is not in force yet; it needs a backfill once it is',
        file: { version: 'v1' },
      },
    ]);
  });

  it('puts persons first', () => {
    const versions = new Map(['Account', 'Plan__c', 'Lead', 'Contact'].map((object) => [object, inForce]));
    expect(planMappings(history({ versions }), null).map(({ object }) => object)).toEqual([
      'Contact',
      'Lead',
      'Account',
      'Plan__c',
    ]);
  });
});

describe('costOf', () => {
  const ceilings = { usersPerRequest: 1_000, requestsPerSecond: 5, idsPerPage: 2_000, recordsPerQuery: 400 };
  it.each([
    [0, { records: 0, salesforceCalls: 2, iterableRequests: 0, seconds: 0 }],
    [1, { records: 1, salesforceCalls: 3, iterableRequests: 1, seconds: 1 }],
    [2_000, { records: 2_000, salesforceCalls: 8, iterableRequests: 2, seconds: 1 }],
    [1_000_000, { records: 1_000_000, salesforceCalls: 3_002, iterableRequests: 1_000, seconds: 200 }],
  ])('%d records', (records, cost) => {
    expect(costOf(records, ceilings)).toEqual(cost);
  });
});

describe('startable', () => {
  const plan = (...states: Array<[string, PlanState]>) => ({
    objects: states.map(([object, state]) => ({ object, state, reason: '' })),
  });
  it.each([
    ['nothing due', plan(['Lead', 'done']), [], []],
    [
      'persons first',
      plan(['Lead', 'needed'], ['Contact', 'needed'], ['Plan__c', 'needed']),
      ['Lead', 'Contact'],
      ['Plan__c'],
    ],
    ['persons under way', plan(['Lead', 'running'], ['Plan__c', 'needed']), [], ['Plan__c']],
    ['the rest', plan(['Lead', 'done'], ['Plan__c', 'needed']), ['Plan__c'], []],
    ['never what is unknown or not in force', plan(['Lead', 'unknown'], ['Contact', 'not-in-force']), [], []],
  ])('%s', (_, answer, now, later) => {
    expect(startable(answer)).toEqual({ now, later });
  });
});

it.each<[PlanState, boolean]>([
  ['needed', true],
  ['unknown', true],
  ['not-in-force', true],
  ['done', false],
  ['running', false],
  ['removed', false],
])('the cost of %s is told: %s', (state, told) => {
  expect(isCostly({ state })).toBe(told);
});
