import type { DeadLetter, Outcome } from '@libs/contracts';

/** What a run left in the log. */
export interface Books {
  /** Every change: `partition:offset` in `salesforce.changes.v1`. */
  readonly changes: readonly string[];
  readonly outcomes: readonly Outcome[];
  readonly deadLetters: readonly DeadLetter[];
  /** The records that Iterable never takes, and the code that says why. */
  readonly bad: ReadonlyMap<string, string>;
}

export interface Fates {
  /** Changes without an outcome: the accounting gap of invariant 4, each offset counted once. */
  readonly gap: number;
  /** Changes by the kind of their outcome; a change that was told twice counts by the first. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Outcomes beyond one a change: redeliveries. */
  readonly repeatedOutcomes: number;
  readonly deadRecords: number;
  /** Dead letters by code: distinct ones, of one state each. */
  readonly deadByCode: Readonly<Record<string, number>>;
  /** Dead letters beyond one a state: a writer died between the append and the commit. */
  readonly repeatedDeadLetters: number;
  /** What must not be, one line each. */
  readonly violations: readonly string[];
}

/**
 * Holds the books against what is known of the records: every change has an outcome; a bad record's states are dead with its code, each
 * in one dead letter, or superseded, and at least one of them is dead; no other record has a dead one. Repeats are counted: after a
 * crash the same may be told again (invariant 2).
 */
export function readFates({ changes, outcomes, deadLetters, bad }: Books): Fates {
  const violations: string[] = [];
  const byChange = new Map<string, Outcome>();
  let repeatedOutcomes = 0;
  for (const outcome of outcomes) {
    for (const offset of outcome.offsets) {
      const known = byChange.get(offset);
      // The second may be another: after a crash an update meets a newer one that had not come when it ended the first time.
      if (known === undefined) byChange.set(offset, outcome);
      else repeatedOutcomes += 1;
    }
    violations.push(...againstTruth(outcome, bad));
  }
  const open = changes.filter((offset) => !byChange.has(offset));
  if (open.length > 0) violations.push(`${open.length} changes without an outcome, e.g. ${open.slice(0, 3).join(' ')}`);
  const dead = readDeadLetters(deadLetters, bad);
  const told = new Set(deadLetters.flatMap(({ offsets }) => offsets));
  for (const [offset, outcome] of byChange)
    if (isDead(outcome) && !told.has(offset)) violations.push(`change ${offset} is dead without a dead letter`);
  return {
    gap: open.length,
    kinds: countBy(byChange.values(), ({ kind }) => kind),
    repeatedOutcomes,
    ...dead,
    violations: [...violations, ...dead.violations],
  };
}

function againstTruth(outcome: Outcome, bad: Books['bad']): string[] {
  const { kind, reason, recordId = '' } = outcome;
  const code = bad.get(recordId);
  if (code === undefined) return kind === 'dead' ? [`${recordId} is good, and ${textOf(outcome)}`] : [];
  if (kind === 'written') return [`${recordId} is bad (${code}), and written`];
  return kind === 'dead' && reason !== code ? [`${recordId} is bad (${code}), and ${textOf(outcome)}`] : [];
}

function readDeadLetters(deadLetters: readonly DeadLetter[], bad: Books['bad']) {
  const violations: string[] = [];
  const distinct = new Map<string, DeadLetter>();
  const byChange = new Map<string, string>();
  for (const letter of deadLetters) {
    const { recordId = '', stage, code, offsets } = letter;
    const name = `${recordId} ${stage} ${code} ${offsets.join(' ')}`;
    if (distinct.has(name)) continue;
    distinct.set(name, letter);
    if (bad.get(recordId) !== code || stage !== 'writer')
      violations.push(`dead letter ${name}, but the record is ${bad.get(recordId) ?? 'good'}`);
    for (const offset of offsets) {
      const other = byChange.get(offset);
      if (other !== undefined) violations.push(`change ${offset} is in two dead letters: ${other} and ${name}`);
      byChange.set(offset, name);
    }
  }
  const records = new Set([...distinct.values()].map(({ recordId }) => recordId));
  for (const [recordId, code] of bad)
    if (!records.has(recordId)) violations.push(`${recordId} is bad (${code}), and has no dead letter`);
  return {
    deadRecords: records.size,
    deadByCode: countBy(distinct.values(), ({ code }) => code),
    repeatedDeadLetters: deadLetters.length - distinct.size,
    violations,
  };
}

const isDead = ({ kind }: Outcome) => kind === 'dead';
const textOf = ({ kind, reason }: Outcome) => (reason === undefined ? kind : `${kind} ${reason}`);

function countBy<T>(items: Iterable<T>, nameOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1;
  return counts;
}
