import { describe, expect, it } from 'vitest';
import type { ServiceHealth } from './answers.js';
import { toHeadline, type Situation } from './headline.js';

const NOW = 1_000_000_000;
const ready = (name: string): ServiceHealth => ({ name, state: 'ready', checks: [{ name: 'log', ok: true }] });
const unready = (name: string, check: string, detail?: string): ServiceHealth => ({
  name,
  state: 'not-ready',
  checks: [
    { name: 'log', ok: true },
    { name: check, ok: false, detail },
  ],
});
const calm: Situation = {
  nowMs: NOW,
  log: { reachable: true },
  services: [ready('batcher'), ready('iterable-writer')],
  mappingTrouble: null,
  stalled: [],
  unaccounted: 0,
  waiting: { changes: 0, oldestMs: null },
  catchingUpAfterMs: 120_000,
  newestSynced: NOW - 4_000,
  hasWritten: true,
  deadLastHour: 0,
  runningBackfills: 0,
};

describe('toHeadline', () => {
  it.each<[string, Partial<Situation>, string, string]>([
    ['in sync', {}, 'ok', 'In sync, newest change 4 s old'],
    ['quiet for long', { newestSynced: NOW - 7_200_000 }, 'ok', 'In sync, newest change 2 h old'],
    [
      'a window full, none late',
      { waiting: { changes: 900, oldestMs: 59_000 } },
      'ok',
      'In sync, newest change 4 s old',
    ],
    [
      'late',
      { waiting: { changes: 12_300, oldestMs: 300_000 } },
      'busy',
      'Catching up: 12,300 changes waiting, the oldest for 5 min',
    ],
    ['only a backfill', { newestSynced: null }, 'ok', 'In sync, no live change yet'],
    ['nothing yet', { newestSynced: null, hasWritten: false }, 'ok', 'Ready, no change synced yet'],
    [
      'first on the way',
      { newestSynced: null, hasWritten: false, waiting: { changes: 1, oldestMs: 500 } },
      'ok',
      'No change synced yet, 1 on the way',
    ],
    [
      'explained at length',
      { services: [unready('mapper', 'dead-letters', `the lane is not read: ${'too much died, '.repeat(20)}`)] },
      'attention',
      `Attention: mapper: the lane is not read: ${'too much died, '.repeat(8)}too much died …`,
    ],
    ['some lost', { unaccounted: 2 }, 'attention', 'Attention: 2 changes unaccounted for'],
    ['a backfill', { runningBackfills: 1 }, 'ok', 'In sync, newest change 4 s old; a backfill is running'],
    ['two backfills', { runningBackfills: 2 }, 'ok', 'In sync, newest change 4 s old; 2 backfills are running'],
    [
      'some dead',
      { deadLastHour: 3 },
      'ok',
      'In sync, newest change 4 s old; 3 changes could not be synced in the last hour',
    ],
    [
      'log away',
      { log: { reachable: false, detail: 'connection refused' } },
      'attention',
      'Attention: the event log cannot be reached (connection refused)',
    ],
    [
      'a sentence',
      { services: [unready('iterable-writer', 'iterable', 'Iterable refuses the key')] },
      'attention',
      'Attention: Iterable refuses the key',
    ],
    [
      'a remark',
      { services: [unready('mapper', 'salesforce', 'session expired')] },
      'attention',
      'Attention: mapper: session expired',
    ],
    [
      'no remark',
      { services: [unready('mapper', 'salesforce')] },
      'attention',
      'Attention: mapper is not ready (salesforce)',
    ],
    [
      'not ready, no check',
      { services: [{ name: 'mapper', state: 'not-ready', checks: [] }] },
      'attention',
      'Attention: mapper is not ready',
    ],
    [
      'unreachable',
      { services: [{ name: 'mapper', state: 'unreachable', checks: [] }] },
      'attention',
      'Attention: mapper does not answer',
    ],
    [
      'unwatched is no trouble',
      { services: [{ name: 'mapper', state: 'unwatched', checks: [] }] },
      'ok',
      'In sync, newest change 4 s old',
    ],
    ['starting', { services: [unready('mapper', 'salesforce', 'not started yet')] }, 'busy', 'Starting: mapper'],
    [
      'stalled',
      { stalled: [{ name: 'the mapper', waiting: 1_200, unit: 'batches' }] },
      'attention',
      'Attention: the mapper takes nothing while 1,200 batches wait',
    ],
    [
      'broken mapping files',
      { mappingTrouble: 'the mapping files are refused' },
      'attention',
      'Attention: the mapping files are refused',
    ],
    [
      'a service that works, with a warning',
      {
        services: [
          {
            name: 'mapper',
            state: 'ready',
            checks: [{ name: 'mappings', ok: true, warning: true, detail: 'refused' }],
          },
        ],
      },
      'attention',
      'Attention: mapper: refused',
    ],
    [
      'the worst decides',
      {
        waiting: { changes: 9, oldestMs: 300_000 },
        services: [ready('batcher'), unready('iterable-writer', 'iterable', 'Iterable refuses the key')],
      },
      'attention',
      'Attention: Iterable refuses the key',
    ],
  ])('%s', (_, change, level, text) => {
    expect(toHeadline({ ...calm, ...change })).toEqual({ level, text });
  });
});
