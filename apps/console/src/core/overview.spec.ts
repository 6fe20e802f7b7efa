import { topics, updateTopics } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { noAccount } from './accounting-answers.js';
import { healthAnswer, type ServiceHealth } from './answers.js';
import { addOutcomes, emptyFlow } from './flow.js';
import { addStatus, noJobs } from './jobs.js';
import { noMappings } from './mappings.js';
import { toHealth, type Knowledge } from './overview.js';
import { addSample, commitKey, noHistory } from './positions.js';

const NOW = Date.UTC(2026, 10, 24, 12);
const service = (name: string, checks: ServiceHealth['checks'] = []): ServiceHealth => ({
  name,
  state: checks.every(({ ok }) => ok) ? 'ready' : 'not-ready',
  checks,
});
const nothing: Knowledge = {
  flow: emptyFlow,
  jobs: noJobs,
  history: noHistory,
  floors: new Map(),
  services: [],
  log: { reachable: true },
  mappings: noMappings,
  account: noAccount,
};
const view = (knowledge: Partial<Knowledge>) =>
  healthAnswer.parse(toHealth({ ...nothing, ...knowledge }, 120_000, NOW));
const stage = (knowledge: Partial<Knowledge>, id: string) =>
  view(knowledge).stages.find((candidate) => candidate.id === id);

describe('toHealth', () => {
  it("shows a change's way in order, and knows little before the first news", () => {
    const { stages, headline } = view({});
    expect(stages.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'salesforce unknown',
      'cdc-listener unknown',
      'log ok',
      'batcher unknown',
      'mapper unknown',
      'iterable-writer unknown',
      'iterable unknown',
    ]);
    expect(headline.text).toBe('Ready, no change synced yet');
  });

  it('shows what waits for each reader and what it takes', () => {
    const at = (timeMs: number, committed: number) => ({
      timeMs,
      ends: new Map([
        [topics.changes.name, new Map([[0, { earliest: 0, next: 500 }]])],
        [updateTopics.realtime.name, new Map([[0, { earliest: 0, next: 90 }]])],
      ]),
      commits: new Map([[commitKey('batcher', topics.changes.name), new Map([[0, committed]])]]),
    });
    const history = [at(NOW - 10_000, 300), at(NOW, 400)].reduce(addSample, noHistory);
    expect(stage({ history }, 'batcher')).toMatchObject({ ratePerSecond: 10, waiting: 100, waitingUnit: 'changes' });
    expect(stage({ history }, 'iterable-writer')).toMatchObject({ waiting: 90, waitingUnit: 'users' });
    expect(view({ history }).waiting).toEqual({ changes: 500, oldestMs: 10_000 });
  });

  it('puts a refused key at the writer and at Iterable, not at the other end', () => {
    const services = [
      service('cdc-listener', [{ name: 'log', ok: true }]),
      service('iterable-writer', [{ name: 'iterable', ok: false, detail: 'Iterable refuses the key' }]),
    ];
    expect(stage({ services }, 'iterable')).toMatchObject({ state: 'attention', detail: 'Iterable refuses the key' });
    expect(stage({ services }, 'iterable-writer')).toMatchObject({
      state: 'attention',
      detail: 'Iterable refuses the key',
    });
    expect(stage({ services }, 'salesforce')).toMatchObject({ state: 'ok' });
  });

  it('counts what was written, what died and which backfills run', () => {
    const outcome = (offset: number, kind: 'written' | 'dead') => ({
      recordType: 'Lead',
      offsets: [`0:${offset}`],
      jobIds: [],
      lane: 'realtime' as const,
      kind,
      reason: kind === 'dead' ? 'iterable.x' : undefined,
      commitTimestamp: NOW - 4_000,
      time: NOW,
    });
    const flow = addOutcomes(emptyFlow, [outcome(0, 'written'), outcome(1, 'dead')], NOW);
    const jobs = addStatus(noJobs, { id: 'j', type: 'progress', data: {}, time: NOW, by: 'backfill' });
    expect(view({ flow, jobs }).headline.text).toBe(
      'In sync, newest change 4 s old; a backfill is running; 1 change could not be synced in the last hour',
    );
    expect(stage({ flow }, 'iterable')?.ratePerSecond).toBeGreaterThan(0);
  });

  it('says nothing of services while the log is away', () => {
    const { stages, headline } = view({
      log: { reachable: false, detail: 'connection refused' },
      services: [service('batcher')],
    });
    expect(headline.level).toBe('attention');
    expect(stages.find(({ id }) => id === 'batcher')?.state).toBe('unknown');
    expect(stages.find(({ id }) => id === 'log')).toMatchObject({ state: 'attention', detail: 'connection refused' });
  });
});
