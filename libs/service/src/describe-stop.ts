import { errorCodes, type Lane, type Stage } from '@libs/contracts';
import { deadOf, topCode, type Endings } from './death-window.js';

/** The services that have a safety stop. */
export type StoppingStage = Extract<Stage, 'mapper' | 'writer'>;

export interface Stopped {
  readonly stage: StoppingStage;
  readonly lane: Lane;
  /** What it was stopped for. */
  readonly endings: Endings;
  /** Were the last of them held back, or did they become dead letters? */
  readonly heldBack: boolean;
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  readonly windowMs: number;
}

/** What ends the stop of each, beside the command: the mapper maps what it holds back anew, the writer has what was mapped before. */
const MENDED: Readonly<Record<StoppingStage, string>> = {
  mapper: 'Correct the mapping: reading goes on by itself as soon as the new file is in force, with nothing lost.',
  writer: 'Correct the mapping or the project first: what waits was mapped before, and may still become dead letters.',
};

/** Says to a person what was stopped, why, and what to do. No personal data: counts, codes and commands. */
export function describeStop({ stage, lane, endings, heldBack, sinceMs, windowMs }: Stopped): string {
  const dead = deadOf(endings);
  const percent = Math.floor((100 * dead) / endings.ended);
  const code = topCode(endings) ?? '';
  const share = `${dead} of ${endings.ended} records (${percent} %) of ${windowMs / 1_000} s ended as dead letters`;
  const how = heldBack ? `${share}, had the last of them not been held back` : share;
  const known = errorCodes[code];
  const most = `most with ${code}${known === undefined ? '.' : `: ${known.meaning} ${known.remedy}`}`;
  return (
    `the ${lane} lane is not read since ${new Date(sinceMs).toISOString()}: ${how}, ${most} ${MENDED[stage]} ` +
    `"sync dead-letters continue" lets it go on as it is; ` +
    `"sync dead-letters redrive --code ${code}" brings back, after the correction, what is dead already.`
  );
}
