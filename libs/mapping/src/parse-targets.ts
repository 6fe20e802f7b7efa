import { pathsAbove } from './paths.js';
import type { Mistakes } from './read-entries.js';
import { suggest } from './suggest.js';

/** A target, where the file fills it, and with what. */
export interface Filled {
  readonly target: string;
  readonly offset: number;
  readonly by: 'field' | 'transform' | 'constant';
  /** `from "LastName"`, `by a constant`. */
  readonly how: string;
}

/** A target is filled once, and is either a value or an object of values. */
export function checkTargets(filled: readonly Filled[], mistakes: Mistakes): void {
  const byTarget = new Map<string, Filled>();
  const inOrder = filled.toSorted((a, b) => a.offset - b.offset);
  for (const one of inOrder) {
    const first = byTarget.get(one.target);
    if (first === undefined) byTarget.set(one.target, one);
    else {
      const where = mistakes.lineOf(first.offset);
      mistakes.add(one.offset, `"${one.target}" is already filled ${first.how} on line ${where}`);
    }
  }
  for (const { target, offset } of inOrder) {
    const outer = pathsAbove(target).find((path) => byTarget.has(path));
    if (outer === undefined) continue;
    const where = mistakes.lineOf((byTarget.get(outer) as Filled).offset);
    mistakes.add(offset, `"${target}" is inside "${outer}", which line ${where} makes a single value`);
  }
}

/** Does a rule of a block (`type`, `onNull`, `values`) name a profile field that the file fills? What is wrong is told. */
export function isRuled(
  block: string,
  target: string,
  offset: number,
  filled: readonly Filled[],
  mistakes: Mistakes,
): boolean {
  if (target === 'email' || target === 'userId') {
    mistakes.add(offset, `"${target}" says who the user is; "${block}" is for profile fields, dataFields.<path>`);
    return false;
  }
  const found = filled.find((one) => one.target === target);
  if (found === undefined) {
    const known = filled.map((one) => one.target).filter((one) => one.startsWith('dataFields.'));
    mistakes.add(
      offset,
      `"${target}" in "${block}" is a target that nothing in this file fills`,
      suggest(target, known),
    );
    return false;
  }
  if (found.by === 'constant' && block !== 'type') {
    mistakes.add(offset, `"${target}" is a constant, to which "${block}" does nothing`);
    return false;
  }
  return true;
}
