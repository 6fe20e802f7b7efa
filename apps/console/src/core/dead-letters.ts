import { errorCodes, type DeadLetter } from '@libs/contracts';
import type { DeadGroup, DeadLettersAnswer } from './answers.js';
import { markSeen, nothingSeen, placeOfChange, type Place, type SeenOffsets } from './seen-offsets.js';

type Group = Omit<DeadGroup, 'meaning' | 'remedy'>;

/** Dead letters by code. */
export interface DeadLetters {
  readonly groups: ReadonlyMap<string, Group>;
  readonly seen: SeenOffsets;
}
export const noDeadLetters: DeadLetters = { groups: new Map(), seen: nothingSeen };

/** Newest references kept of each code. */
export const NEWEST = 20;
const MAX_CODES = 200;

/** What a dead letter is about: the unreadable message, else its first change. None for one that names neither. */
function placeOf({ origin, offsets, code }: DeadLetter): Place | null {
  if (origin !== undefined) return { source: `${code}|${origin.topic}/${origin.partition}`, offset: origin.offset };
  const [change] = offsets;
  if (change === undefined) return null;
  const place = placeOfChange(change);
  return { ...place, source: `${code}|${place.source}` };
}

function toReference({ recordType, recordId, stage, message, attempts, origin, lastTime }: DeadLetter) {
  const where = origin && `${origin.topic}/${origin.partition}/${origin.offset}`;
  return { recordType, recordId, stage, message, attempts, origin: where, time: lastTime };
}

/** Groups dead letters. Input: any order; one delivered again counts once. */
export function addDeadLetters(state: DeadLetters, letters: readonly DeadLetter[]): DeadLetters {
  const groups = new Map(state.groups);
  let { seen } = state;
  for (const letter of letters) {
    const place = placeOf(letter);
    if (place !== null) {
      const marked = markSeen(seen, [place]);
      seen = marked.seen;
      if (marked.fresh[0] === false) continue;
    }
    const group = groups.get(letter.code);
    if (group === undefined && groups.size >= MAX_CODES) continue;
    groups.set(letter.code, {
      code: letter.code,
      count: (group?.count ?? 0) + 1,
      firstTime: Math.min(group?.firstTime ?? Infinity, letter.firstTime),
      lastTime: Math.max(group?.lastTime ?? 0, letter.lastTime),
      newest: [toReference(letter), ...(group?.newest ?? [])].toSorted((a, b) => b.time - a.time).slice(0, NEWEST),
    });
  }
  return { groups, seen };
}

/** `complete`: were all dead letters that the log keeps read? */
export function toDeadLettersAnswer({ groups }: DeadLetters, complete: boolean): DeadLettersAnswer {
  const all = [...groups.values()].toSorted((a, b) => b.lastTime - a.lastTime);
  return {
    total: all.reduce((sum, group) => sum + group.count, 0),
    complete,
    groups: all.map((group) => ({
      ...group,
      meaning: errorCodes[group.code]?.meaning,
      remedy: errorCodes[group.code]?.remedy,
    })),
  };
}
