import { describe, expect, it } from 'vitest';
import { deadLetter, identity, outcome, topics } from '@libs/contracts';
import { toReport, type Ended, type Ending } from './report.js';

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
const ended = (ending: Ending): Ended => ({ update, lane: 'backfill', ending, attempts: 2, takenAtMs: 1_500 });
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
    const report = toReport([ended({ kind: 'written', requestId: 'r1' })], 2_000);
    expect(report.map(({ topic, key }) => [topic.name, key])).toEqual([
      [topics.identities.name, update.recordId],
      [topics.outcomes.name, update.recordId],
    ]);
    expect(identity.parse(report[0]?.value)).toEqual({
      recordType: 'Lead',
      email: 'ada@example.com',
      version: update.version,
    });
    expect(outcome.parse(report[1]?.value)).toEqual({ ...outcomeBase, kind: 'written', requestId: 'r1' });
  });

  it('tells of a dead one its dead letter and its outcome, without the email', () => {
    const report = toReport(
      [ended({ kind: 'dead', code: 'iterable.forgotten', message: 'Gone.', requestId: 'r1' })],
      2_000,
    );
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
    const report = toReport([ended(ending)], 2_000);
    expect(report).toHaveLength(1);
    expect(outcome.parse(report[0]?.value)).toEqual({ ...outcomeBase, ...ending });
  });
});
