import { errorCodes, selectsLetter, type DeadLetter, type LetterSelection } from '@libs/contracts';
import type { DeadGroup, DeadLettersAnswer, DeadLettersQuery, DeadReference } from './answers.js';
import { markSeen, nothingSeen, placeOfChange, type Place, type SeenOffsets } from './seen-offsets.js';

type Totals = Pick<DeadGroup, 'count' | 'firstTime' | 'lastTime'>;

/** What is known of the dead letters: counts by code of all that came, and the newest themselves. */
export interface DeadLetters {
  readonly totals: ReadonlyMap<string, Totals>;
  readonly kept: readonly DeadLetter[];
  /** Were all kept? */
  readonly keptAll: boolean;
  readonly seen: SeenOffsets;
}
export const noDeadLetters: DeadLetters = { totals: new Map(), kept: [], keptAll: true, seen: nothingSeen };

/** Most letters kept, some 500 bytes each: as many as the console reads at its start. */
export const MAX_KEPT = 50_000;
/** References given of each code unless more are asked for. */
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

function toReference({ origin, lastTime, code: _ofTheGroup, ...rest }: DeadLetter): DeadReference {
  const where = origin && `${origin.topic}/${origin.partition}/${origin.offset}`;
  return { ...rest, origin: where, time: lastTime };
}

function addTo(totals: Totals | undefined, { firstTime, lastTime }: DeadLetter): Totals {
  return {
    count: (totals?.count ?? 0) + 1,
    firstTime: Math.min(totals?.firstTime ?? Infinity, firstTime),
    lastTime: Math.max(totals?.lastTime ?? 0, lastTime),
  };
}

/** Takes dead letters in. Input: any order; one delivered again counts once. */
export function addDeadLetters(state: DeadLetters, letters: readonly DeadLetter[]): DeadLetters {
  const totals = new Map(state.totals);
  const places = letters.map(placeOf);
  const { seen, fresh: isFresh } = markSeen(
    state.seen,
    places.filter((place) => place !== null),
  );
  let marked = 0;
  const fresh = letters.filter((_, n) => places[n] === null || isFresh[marked++] === true);
  const kept = [...state.kept];
  for (const letter of fresh) {
    if (!totals.has(letter.code) && totals.size >= MAX_CODES) continue;
    totals.set(letter.code, addTo(totals.get(letter.code), letter));
    kept.push(letter);
  }
  return { totals, kept: kept.slice(-MAX_KEPT), keptAll: state.keptAll && kept.length <= MAX_KEPT, seen };
}

/** What a query or a request asks for. */
export function toSelection({ code, object, id, from, to }: Partial<Omit<DeadLettersQuery, 'limit'>>): LetterSelection {
  const [fromMs, toMs] = [from, to].map((time) => (time === undefined ? undefined : Date.parse(time)));
  return { codes: code, objects: object, ids: id, fromMs, toMs };
}

const recordsOf = (letters: readonly DeadLetter[]) =>
  new Set(letters.map(({ recordId }) => recordId).filter((id) => id !== undefined)).size;

function toGroup(code: string, totals: Totals, letters: readonly DeadLetter[], limit: number): DeadGroup {
  return {
    code,
    meaning: errorCodes[code]?.meaning,
    remedy: errorCodes[code]?.remedy,
    ...totals,
    records: recordsOf(letters),
    newest: letters
      .toSorted((a, b) => b.lastTime - a.lastTime)
      .slice(0, limit)
      .map(toReference),
  };
}

/**
 * Dead letters by code, latest first. `complete`: were all read that the log keeps? By codes alone the counts are of all that came,
 * by anything else of those that are kept.
 */
export function toDeadLettersAnswer(
  { totals, kept, keptAll }: DeadLetters,
  complete: boolean,
  selection: LetterSelection = {},
  limit = NEWEST,
): DeadLettersAnswer {
  const { codes, objects, ids, fromMs, toMs } = selection;
  const matching = kept.filter(selectsLetter(selection));
  const byCode = Map.groupBy(matching, ({ code }) => code);
  const isByCodeAlone = [objects, ids, fromMs, toMs].every((given) => given === undefined);
  const spans = isByCodeAlone
    ? [...totals].filter(([code]) => codes?.includes(code) ?? true)
    : [...byCode].flatMap(([code, letters]) => {
        const span = letters.reduce<Totals | undefined>(addTo, undefined);
        return span === undefined ? [] : [[code, span] as const];
      });
  const groups = spans
    .map(([code, span]) => toGroup(code, span, byCode.get(code) ?? [], limit))
    .toSorted((a, b) => b.lastTime - a.lastTime);
  return {
    total: groups.reduce((sum, { count }) => sum + count, 0),
    records: recordsOf(matching),
    complete: complete && keptAll,
    groups,
  };
}
