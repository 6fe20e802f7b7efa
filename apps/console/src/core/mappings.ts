import { mappingApplied, mappingRefused, type Status } from '@libs/contracts';
import { z } from 'zod';
import type { MappingAnswer, MappingsAnswer } from './answers.js';
import { formatCount } from './format.js';

/** Service that speaks for the mappings. */
const MAPPER = 'mapper';
/** Most answers to commands that are kept; past it the oldest is forgotten. */
const MAX_ANSWERS = 200;

/** What the mapper said last: the mappings in force, and what is wrong with the files, if something is. */
export interface Mappings {
  readonly view: MappingsAnswer;
  /** Answers to commands, by command id. */
  readonly answers: ReadonlyMap<string, MappingAnswer>;
}

export const noMappings: Mappings = { view: { inForce: [], refused: null }, answers: new Map() };

/** Is a message about mappings, so that it is about no job? */
export function isAboutMappings({ by }: Pick<Status, 'by'>): boolean {
  return by === MAPPER;
}

/** Takes a message in. Input: in log order; others than the mapper's change nothing. */
export function addMappingStatus(before: Mappings, status: Status): Mappings {
  if (!isAboutMappings(status)) return before;
  const { type, data, time } = status;
  if (type === 'mapping-applied') {
    const told = mappingApplied.safeParse(data);
    if (!told.success) return before;
    return { ...before, view: { inForce: inForce(before, told.data.versions, time), refused: null } };
  }
  if (type === 'mapping-refused') {
    const told = mappingRefused.safeParse(data);
    if (!told.success) return before;
    const { versions, mistakes } = told.data;
    return { ...before, view: { inForce: inForce(before, versions, time), refused: { mistakes, since: time } } };
  }
  const answer = toAnswer(status);
  return answer === null ? before : { ...before, answers: remember(before.answers, answer) };
}

/** A version that was in force before keeps its moment: a mapper that starts says again what holds. */
function inForce({ view }: Mappings, versions: Readonly<Record<string, string>>, time: number) {
  return Object.entries(versions).map(([object, version]) => {
    const known = view.inForce.find((one) => one.object === object && one.version === version);
    return known ?? { object, version, since: time };
  });
}

const answerData = z.object({
  versions: z.record(z.string(), z.string()).optional().catch(undefined),
  changed: z.array(z.string()).optional().catch(undefined),
  mistakes: z.array(z.string()).optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
});

function toAnswer({ id, type, data }: Status): MappingAnswer | null {
  if (type !== 'completed' && type !== 'rejected' && type !== 'accepted') return null;
  return { id, state: type, ...answerData.parse(data) };
}

function remember(answers: Mappings['answers'], answer: MappingAnswer): Mappings['answers'] {
  const next = new Map(answers).set(answer.id, answer);
  const [oldest] = next.keys();
  if (next.size > MAX_ANSWERS && oldest !== undefined) next.delete(oldest);
  return next;
}

/** What is wrong with the mapping files, in one sentence; `null` when nothing is known to be. */
export function mappingTrouble({ view: { refused } }: Mappings): string | null {
  if (refused === null) return null;
  const [first = 'no mistake was named', ...more] = refused.mistakes;
  const rest = more.length === 0 ? '' : ` (and ${formatCount(more.length)} more)`;
  return `the mapping files are refused, the last good version stays in force: ${first}${rest}`;
}
