import { describe, expect, it } from 'vitest';
import { noAccount } from '../core/accounting-answers.js';
import type { Job } from '../core/answers.js';
import { accountingLines, jobEnd, jobLines, jobProgress, statusLines, table, type StatusView } from './text.js';

const NOW = 1_000_000_000;
const job = (over: Partial<Job> = {}): Job => ({
  id: 'j1',
  state: 'running',
  updatedAt: NOW,
  ratePerSecond: null,
  etaMs: null,
  ...over,
});
const progress = {
  queried: 4_000,
  enqueued: 4_000,
  written: 1_900,
  superseded: 0,
  filtered: 0,
  skipped: 90,
  expanded: 0,
  dead: 10,
  total: 40_000,
  reasons: {},
  elapsedMs: 9_200,
};

it('aligns columns, numbers to the right', () => {
  expect(
    table([
      ['Object', 'Written'],
      ['Lead', '12,300'],
      ['Contact', '7'],
    ]),
  ).toEqual(['Object   Written', 'Lead      12,300', 'Contact        7']);
  expect(table([])).toEqual([]);
});

describe('a job in words', () => {
  it.each([
    ['nothing known', job({ state: 'sent' }), '0 done'],
    [
      'running',
      job({ progress, ratePerSecond: 217.4, etaMs: 14_000 }),
      '2,000 of 40,000, 4,000 queried, 4,000 enqueued, 1,900 written, 90 skipped, 10 dead, 217/s, 14 s left',
    ],
    [
      'rejected',
      job({ state: 'rejected', reason: 'Opportunity has no mapping file' }),
      'Opportunity has no mapping file',
    ],
    ['completed', job({ state: 'completed', summary: 'completed, 1 written' }), 'completed, 1 written'],
  ])('%s', (_, given, text) => {
    expect(jobProgress(given)).toBe(text);
  });

  it.each([
    [
      job({
        state: 'completed',
        object: 'Lead',
        where: "Status = 'New'",
        progress,
        ratePerSecond: 217.4,
        summary: 'completed, 1900 written',
      }),
      "Lead where Status = 'New': completed, 1900 written in 9.2 s (217/s)",
    ],
    [
      job({ state: 'rejected', object: 'Opportunity', reason: 'no mapping file' }),
      'Opportunity: rejected, no mapping file',
    ],
    [job({ state: 'failed', idCount: 3, reason: 'access refused' }), '3 record ids: failed, access refused'],
  ])('at its end: %#', (given, text) => {
    expect(jobEnd(given)).toBe(text);
  });

  it('in a list', () => {
    expect(jobLines([])).toEqual(['No backfill yet. Start one: sync backfill start --object Lead --watch']);
    expect(jobLines([job({ object: 'Lead' }), job({ id: 'longer', state: 'rejected', reason: 'no' })])).toEqual([
      'j1      running   Lead             0 done',
      'longer  rejected  backfill longer  no',
    ]);
  });
});

describe('status in words', () => {
  const stage = (id: string, name: string) => ({
    id,
    name,
    state: 'ok' as const,
    ratePerSecond: null,
    rateUnit: '',
    waiting: null,
    waitingUnit: '',
  });
  const view: StatusView = {
    health: {
      time: NOW,
      headline: { level: 'attention', text: 'Attention: Iterable refuses the key' },
      log: { reachable: true },
      waiting: { changes: 9, oldestMs: 4_000 },
      stages: [
        stage('salesforce', 'Salesforce'),
        { ...stage('batcher', 'Batcher'), ratePerSecond: 2.5, rateUnit: 'changes', waiting: 9, waitingUnit: 'changes' },
      ],
      services: [
        {
          name: 'iterable-writer',
          state: 'not-ready',
          checks: [{ name: 'iterable', ok: false, detail: 'Iterable refuses the key' }],
        },
      ],
      mappings: {
        inForce: [{ object: 'Lead', version: 'a1', since: NOW }],
        refused: { mistakes: ['Lead.yaml:2:1: unknown key "feilds"'], since: NOW },
      },
      accounting: { time: NOW, since: NOW, gap: 0, confirmed: false },
    },
    flow: {
      time: NOW,
      since: NOW,
      minutes: [],
      objects: [
        {
          object: 'Lead',
          lastMinute: { written: 12 },
          total: { written: 1_200, skipped: 3, dead: 1 },
          newestSynced: NOW - 4_000,
          latency: { p50Ms: 4_100, p99Ms: 61_000 },
        },
      ],
      reasons: [],
    },
    backfills: [job({ object: 'Lead' }), job({ id: 'old', state: 'completed' })],
    deadLetters: {
      total: 1,
      records: 1,
      complete: true,
      groups: [
        {
          code: 'iterable.invalid_email',
          meaning: 'Iterable refuses the email address.',
          remedy: 'Correct it.',
          count: 1,
          records: 1,
          firstTime: 1,
          lastTime: 1,
          newest: [],
        },
      ],
    },
  };

  it('shows the headline first, then all that is known', () => {
    expect(statusLines(view)).toEqual([
      'Attention: Iterable refuses the key',
      '',
      'Salesforce  ok',
      'Batcher     ok  2.5 changes/s  9 waiting',
      '',
      'Object  Last minute  Last hour  Superseded  Skipped  Dead  Newest synced  Latency p50 / p99',
      'Lead             12      1,200           0        3     1        4 s ago        4 s / 1 min',
      '',
      'iterable-writer is not-ready (iterable: Iterable refuses the key)',
      '',
      'Mapping files are refused; the last good version stays in force',
      '  Lead.yaml:2:1: unknown key "feilds"',
      '',
      'Backfills',
      '  Lead: 0 done',
      '',
      'Dead letters',
      '  1 iterable.invalid_email: Iterable refuses the email address.',
      '    Correct it.',
    ]);
  });
});

describe('the account in words', () => {
  const since = Date.UTC(2026, 10, 23, 12);
  const row = {
    object: 'Lead',
    lane: 'realtime' as const,
    in: 12_301,
    written: 12_000,
    superseded: 200,
    filtered: 50,
    skipped: 40,
    expanded: 0,
    dead: 5,
    inFlight: 6,
    gap: 0,
  };

  it('before there is one', () => {
    expect(accountingLines(noAccount)).toEqual(['The topics are still being read: ask again in a few seconds.']);
  });

  it('without a gap', () => {
    expect(accountingLines({ ...noAccount, time: NOW, since, rows: [row] })).toEqual([
      'Accounted for: every change since 2026-11-23T12:00:00.000Z',
      '',
      'Object  Lane          In  Written  Superseded  Filtered  Skipped  Expanded  Dead  In flight  Gap',
      'Lead    realtime  12,301   12,000         200        50       40         0     5          6    0',
    ]);
  });

  it('with one: which records', () => {
    const gaps = [
      { offset: '0:17', object: 'Lead', lane: 'realtime' as const, recordId: '00Q5f000005bwLFEAY', time: since },
      { offset: '3:1', object: 'unknown', lane: 'realtime' as const },
    ];
    const told = (gap: number) => accountingLines({ ...noAccount, time: NOW, since, gap, gaps });
    expect(told(2)).toEqual([
      '2 changes unaccounted for, of every change since 2026-11-23T12:00:00.000Z',
      '',
      'Which they are',
      '  Lead 00Q5f000005bwLFEAY  realtime  0:17  2026-11-23T12:00:00.000Z',
      '  unknown ?  realtime  3:1',
      '',
      'What to do: docs/accounting.md',
    ]);
    expect(told(3)).toContain('The first 2 of them');
  });
});
