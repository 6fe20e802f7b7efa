import { describe, expect, it } from 'vitest';
import { deadLetter, identity, outcome, recordChange, topics } from '@libs/contracts';
import type { Decision } from './decision.js';
import { toReport, type Ended, type Ending, type Report } from './report.js';

const update = {
  kind: 'update' as const,
  recordType: 'Lead',
  recordId: '00Q5f000005bwLFEAY',
  offsets: ['0:4', '0:9'],
  jobIds: ['job-1'],
  commitTimestamp: 1_000,
  version: { modstampMs: 900, fetchedAtMs: 1_200 },
  email: 'ada@example.com',
};
const other = '00Q5f000005bwLGEAY';
const row = {
  recordId: update.recordId,
  identity: { recordType: 'Lead', email: 'ada@example.com', version: update.version },
  called: 'bulk' as const,
};
const heir = {
  recordId: other,
  identity: { recordType: 'Lead', email: 'old@example.com', version: update.version },
  called: null,
};
const decision: Decision = {
  steps: [],
  notBeforeMs: 0,
  locks: [],
  rows: [row],
  heirs: [],
  redrives: [],
  ending: { kind: 'written' },
  outranked: false,
  before: null,
  intent: null,
};
const ended = (ending: Ending, more: Partial<Ended> = {}): Ended => ({
  message: update,
  lane: 'backfill',
  ending,
  decision,
  reached: false,
  attempts: 2,
  takenAtMs: 1_500,
  ...more,
});
const both = ({ first, last }: Report) => [...first, ...last];
const base = {
  recordType: 'Lead',
  recordId: update.recordId,
  offsets: ['0:4', '0:9'],
  jobIds: ['job-1'],
  lane: 'backfill',
};
const outcomeBase = { ...base, commitTimestamp: 1_000, time: 2_000 };

describe('toReport', () => {
  it('tells of a written update its outcome and its identity', () => {
    const report = both(toReport([ended({ kind: 'written', requestId: 'r1' })], 2_000));
    expect(report.map(({ topic, key }) => [topic.name, key])).toEqual([
      [topics.identities.name, update.recordId],
      [topics.outcomes.name, update.recordId],
    ]);
    expect(identity.parse(report[0]?.value)).toEqual({
      recordType: 'Lead',
      email: 'ada@example.com',
      version: update.version,
      lastCall: { endpoint: 'bulk', atMs: 2_000 },
    });
    expect(outcome.parse(report[1]?.value)).toEqual({ ...outcomeBase, kind: 'written', requestId: 'r1' });
  });

  it('tells of a dead one its dead letter and its outcome, without the email', () => {
    const dead = { kind: 'dead', code: 'iterable.forgotten', message: 'Gone.', requestId: 'r1' } as const;
    const { first, last } = toReport([ended(dead)], 2_000);
    const report = [...first, ...last.filter(({ topic }) => topic.name !== topics.identities.name)];
    expect(deadLetter.parse(report[0]?.value)).toEqual({
      ...base,
      stage: 'writer',
      code: 'iterable.forgotten',
      message: 'Gone.',
      attempts: 2,
      firstTime: 1_500,
      lastTime: 2_000,
    });
    expect(outcome.parse(report[1]?.value)).toEqual({
      ...outcomeBase,
      kind: 'dead',
      reason: 'iterable.forgotten',
      requestId: 'r1',
    });
    expect(JSON.stringify(report.map(({ value }) => value))).not.toContain('ada@');
  });

  it.each<Ending>([
    { kind: 'superseded', reason: 'writer.stale_version' },
    { kind: 'skipped', reason: 'writer.dry_run' },
  ])('tells of one $kind its outcome only', (ending) => {
    const report = both(toReport([ended(ending, { decision: null })], 2_000));
    expect(report).toHaveLength(1);
    expect(outcome.parse(report[0]?.value)).toEqual({ ...outcomeBase, ...ending });
  });

  it('asks for the heir of a profile before it says that the profile is its own', () => {
    const passed = { ...decision, heirs: [heir], redrives: [{ recordType: 'Lead', recordId: other }] };
    const { first, last } = toReport([ended({ kind: 'written', requestId: 'r1' }, { decision: passed })], 2_000);
    expect(first.map(({ topic, value }) => [topic.name, recordChange.parse(value)])).toEqual([
      [
        topics.changes.name,
        {
          recordType: 'Lead',
          recordId: other,
          changeType: 'SNAPSHOT',
          source: 'redrive',
          lane: 'backfill',
          commitTimestamp: 1_000,
        },
      ],
    ]);
    expect(last.map(({ topic, key }) => [topic.name, key])).toEqual([
      [topics.identities.name, update.recordId],
      [topics.identities.name, other],
      [topics.outcomes.name, update.recordId],
    ]);
  });

  it('lets the claim of a refused user stand, with its data where it was', () => {
    const claim = { email: 'ada@example.com', createdMs: 5 };
    const before = { recordType: 'Lead', email: 'old@example.com', version: { modstampMs: 1, fetchedAtMs: 1 } };
    const refused = { ...decision, before, rows: [{ ...row, identity: { ...row.identity, claim } }] };
    const dead = { kind: 'dead', code: 'iterable.invalid_data', message: 'Bad.' } as const;
    const identities = (reached: boolean) =>
      toReport([ended(dead, { decision: refused, reached })], 2_000).last.flatMap(({ topic, value }) =>
        topic.name === topics.identities.name ? [identity.parse(value)] : [],
      );
    expect(identities(false)).toEqual([
      { recordType: 'Lead', email: 'old@example.com', claim, version: update.version },
    ]);
    expect(identities(true)).toMatchObject([{ email: 'ada@example.com', claim }]);
  });
});
