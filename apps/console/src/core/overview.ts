import type { AccountingAnswer } from './accounting-answers.js';
import type { HealthAnswer, ServiceHealth, StageView } from './answers.js';
import { listJobs, type Jobs } from './jobs.js';
import { countSince, writtenPerSecond, type Flow } from './flow.js';
import { mappingTrouble, type Mappings } from './mappings.js';
import { isStarting, toHeadline, troubleOf, warningOf, type Situation } from './headline.js';
import { arrivalRate, readers, readerState, waitingChanges, type History } from './positions.js';

/** All that the console knows: what the topics said, where they stand, what services say of themselves. */
export interface Knowledge {
  readonly flow: Flow;
  readonly jobs: Jobs;
  readonly history: History;
  /** By partition of `salesforce.changes.v1`: outcomes of changes before it are not known. */
  readonly floors: ReadonlyMap<number, number>;
  readonly services: readonly ServiceHealth[];
  readonly log: { readonly reachable: boolean; readonly detail?: string };
  readonly mappings: Mappings;
  readonly account: AccountingAnswer;
}

/** Services in the order of a change's way, with what their waiting and rate count. */
const STAGES = [
  { app: 'cdc-listener', name: 'Listener', unit: 'changes' },
  { app: 'batcher', name: 'Batcher', unit: 'changes' },
  { app: 'mapper', name: 'Mapper', unit: 'batches' },
  { app: 'iterable-writer', name: 'Writer', unit: 'users' },
] as const;

const HOUR_MS = 3_600_000;

type View = Pick<StageView, 'state' | 'detail'>;

function serviceView(service: ServiceHealth | undefined): View {
  if (service === undefined || service.state === 'unwatched') return { state: 'unknown' };
  if (isStarting(service)) return { state: 'busy', detail: 'starting' };
  const detail = troubleOf(service) ?? warningOf(service);
  return detail === null ? { state: 'ok' } : { state: 'attention', detail };
}

/** A system at the end of the line, as the service that talks to it sees it: any of its checks but that of the log. */
function endView(service: ServiceHealth | undefined): View {
  if (service === undefined || (service.state !== 'ready' && service.state !== 'not-ready') || isStarting(service)) {
    return { state: 'unknown' };
  }
  const bad = service.checks.find(({ name, ok }) => !ok && name !== 'log');
  return bad === undefined ? { state: 'ok' } : { state: 'attention', detail: bad.detail ?? bad.name };
}

const still = { ratePerSecond: null, rateUnit: '', waiting: null, waitingUnit: '' };

function stagesOf({ flow, history, services, log }: Knowledge, nowMs: number): StageView[] {
  const find = (app: string) => services.find(({ name }) => name === app);
  const logView: View = log.reachable ? { state: 'ok' } : { state: 'attention', detail: log.detail };
  const stages = STAGES.map(({ app, name, unit }): StageView => {
    const reader = readers.find((candidate) => candidate.app === app);
    const view = log.reachable ? serviceView(find(app)) : ({ state: 'unknown' } as const);
    if (reader === undefined) {
      return { ...still, id: app, name, ...view, ratePerSecond: arrivalRate(history), rateUnit: unit };
    }
    const { ratePerSecond, waiting, stalled } = readerState(history, reader);
    const shown: View = stalled && view.state !== 'attention' ? { state: 'attention', detail: 'takes nothing' } : view;
    return { id: app, name, ...shown, ratePerSecond, rateUnit: unit, waiting, waitingUnit: unit };
  });
  const [listener, ...rest] = stages as [StageView, ...StageView[]];
  return [
    { ...still, id: 'salesforce', name: 'Salesforce', ...endView(find('cdc-listener')) },
    listener,
    { ...still, id: 'log', name: 'Event log', ...logView },
    ...rest,
    {
      ...still,
      id: 'iterable',
      name: 'Iterable',
      ...endView(find('iterable-writer')),
      ratePerSecond: writtenPerSecond(flow, nowMs),
      rateUnit: 'written',
    },
  ];
}

function stalledStages(history: History): Situation['stalled'] {
  return readers.flatMap((reader) => {
    const { stalled, waiting } = readerState(history, reader);
    const stage = STAGES.find(({ app }) => app === reader.app);
    return stalled && stage !== undefined
      ? [{ name: `the ${stage.name.toLowerCase()}`, waiting: waiting ?? 0, unit: stage.unit }]
      : [];
  });
}

/** How the sync stands now. */
export function toHealth(knowledge: Knowledge, catchingUpAfterMs: number, nowMs: number): HealthAnswer {
  const { flow, jobs, history, floors, services, log, mappings, account } = knowledge;
  const stages = stagesOf(knowledge, nowMs);
  const waiting = waitingChanges(history, flow.seen, floors);
  const newest = [...flow.newestSynced.values()];
  return {
    time: nowMs,
    headline: toHeadline({
      nowMs,
      log,
      services,
      mappingTrouble: mappingTrouble(mappings),
      stalled: stalledStages(history),
      unaccounted: account.confirmed ? account.gap : 0,
      waiting,
      catchingUpAfterMs,
      newestSynced: newest.length === 0 ? null : Math.max(...newest),
      hasWritten: countSince(flow, 'written', 0) > 0,
      deadLastHour: countSince(flow, 'dead', nowMs - HOUR_MS),
      runningBackfills: listJobs(jobs).filter(({ state }) => state === 'running').length,
    }),
    log,
    waiting,
    stages,
    services: [...services],
    mappings: mappings.view,
    accounting: { time: account.time, since: account.since, gap: account.gap, confirmed: account.confirmed },
  };
}
