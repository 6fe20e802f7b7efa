import type { Headline, ServiceHealth } from './answers.js';
import { formatCount, formatDuration, plural } from './format.js';

/** What the headline depends on. */
export interface Situation {
  readonly nowMs: number;
  readonly log: { readonly reachable: boolean; readonly detail?: string };
  readonly services: readonly ServiceHealth[];
  /** What is wrong with the mapping files, for a person. */
  readonly mappingTrouble: string | null;
  /** Stages that take nothing although something waits. */
  readonly stalled: ReadonlyArray<{ readonly name: string; readonly waiting: number; readonly unit: string }>;
  /** Changes without an outcome that are nowhere on their way. */
  readonly unaccounted: number;
  readonly waiting: { readonly changes: number; readonly oldestMs: number | null };
  /** From this age of the oldest waiting change on it is catching up. Milliseconds. */
  readonly catchingUpAfterMs: number;
  /** Commit of the newest real-time change that was written. Epoch milliseconds. */
  readonly newestSynced: number | null;
  /** Was anything written, also by a backfill? */
  readonly hasWritten: boolean;
  readonly deadLastHour: number;
  readonly runningBackfills: number;
}

/** Said by a service of a check that has not been true yet (libs/observability). */
const NOT_STARTED = 'not started yet';

const failing = ({ checks }: ServiceHealth) => checks.filter(({ ok }) => !ok);

/** Longest text of a check that is shown in a line or a tile. Whoever shows the checks themselves has all of it. */
const MAX_DETAIL = 160;

/** A text that explains at length, such as that of a safety stop, ends where the line does. */
function inShort(detail: string): string {
  if (detail.length <= MAX_DETAIL) return detail;
  const words = detail.slice(0, MAX_DETAIL).split(/\s/).slice(0, -1).join(' ');
  return `${words.replace(/[\s,.:;]+$/, '')} …`;
}

/** A service that is only on its way up. */
export function isStarting(service: ServiceHealth): boolean {
  const checks = failing(service);
  return service.state === 'not-ready' && checks.length > 0 && checks.every(({ detail }) => detail === NOT_STARTED);
}

/** What a service that works has someone look at; `null`: nothing. */
export function warningOf({ name, state, checks }: ServiceHealth): string | null {
  const check = state === 'ready' ? checks.find(({ warning }) => warning) : undefined;
  return check === undefined ? null : `${name}: ${inShort(check.detail ?? check.name)}`;
}

/** What is wrong with a service, for a person; `null` when nothing is known to be. A detail that is a sentence stands alone. */
export function troubleOf(service: ServiceHealth): string | null {
  if (service.state === 'unreachable') return `${service.name} does not answer`;
  if (service.state !== 'not-ready' || isStarting(service)) return null;
  const check = failing(service).find(({ detail }) => detail !== NOT_STARTED);
  if (check === undefined) return `${service.name} is not ready`;
  if (check.detail === undefined) return `${service.name} is not ready (${check.name})`;
  const detail = inShort(check.detail);
  return /^[A-Z]/.test(detail) ? detail : `${service.name}: ${detail}`;
}

function trouble({ log, services, stalled, mappingTrouble, unaccounted }: Situation): string | null {
  if (!log.reachable) return `the event log cannot be reached${log.detail === undefined ? '' : ` (${log.detail})`}`;
  for (const service of services) {
    const text = troubleOf(service);
    if (text !== null) return text;
  }
  const [stage] = stalled;
  if (stage !== undefined) return `${stage.name} takes nothing while ${formatCount(stage.waiting)} ${stage.unit} wait`;
  if (unaccounted > 0) return `${plural(unaccounted, 'change')} unaccounted for`;
  if (mappingTrouble !== null) return mappingTrouble;
  for (const service of services) {
    const text = warningOf(service);
    if (text !== null) return text;
  }
  return null;
}

function flowing({ nowMs, waiting, catchingUpAfterMs, newestSynced, hasWritten }: Situation): Headline {
  if (waiting.oldestMs !== null && waiting.oldestMs > catchingUpAfterMs) {
    const oldest = formatDuration(waiting.oldestMs);
    return {
      level: 'busy',
      text: `Catching up: ${plural(waiting.changes, 'change')} waiting, the oldest for ${oldest}`,
    };
  }
  if (newestSynced !== null)
    return { level: 'ok', text: `In sync, newest change ${formatDuration(nowMs - newestSynced)} old` };
  if (hasWritten) return { level: 'ok', text: 'In sync, no live change yet' };
  if (waiting.changes > 0)
    return { level: 'ok', text: `No change synced yet, ${formatCount(waiting.changes)} on the way` };
  return { level: 'ok', text: 'Ready, no change synced yet' };
}

/** One sentence and a colour: how the sync stands. The worst thing that is known decides. */
export function toHeadline(situation: Situation): Headline {
  const bad = trouble(situation);
  if (bad !== null) return { level: 'attention', text: `Attention: ${bad}` };
  const starting = situation.services.filter(isStarting).map(({ name }) => name);
  if (starting.length > 0) return { level: 'busy', text: `Starting: ${starting.join(', ')}` };
  const { level, text } = flowing(situation);
  const { runningBackfills, deadLastHour } = situation;
  const parts = [text];
  if (runningBackfills === 1) parts.push('a backfill is running');
  if (runningBackfills > 1) parts.push(`${runningBackfills} backfills are running`);
  if (deadLastHour > 0) parts.push(`${plural(deadLastHour, 'change')} could not be synced in the last hour`);
  return { level, text: parts.join('; ') };
}
