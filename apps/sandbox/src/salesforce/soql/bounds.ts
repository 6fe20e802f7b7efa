import type { StoredValue } from '../store/values.js';
import type { ConditionTree } from './condition-tree.js';

/**
 * The least value a field can have where a condition holds, as far as the condition says so; `null` when it does not.
 * Keyset paging asks `(stamp > t OR (stamp = t AND Id > i))`; SQLite does not see that this means `stamp >= t`, and would
 * read the index from its beginning for every page.
 *
 * `valueOf` answers the literal a test compares the field with, or `null` when the test is about something else.
 */
export function lowerBound(
  tree: ConditionTree,
  valueOf: (tree: ConditionTree & { kind: 'test' }) => StoredValue,
): StoredValue {
  if (tree.kind === 'not') return null;
  if (tree.kind === 'test') {
    return ['=', '>', '>='].includes(tree.test.operator) ? valueOf(tree) : null;
  }
  const bounds = tree.parts.map((one) => lowerBound(one, valueOf));
  const known = bounds.filter((one) => one !== null);
  const [first] = known;
  if (first === undefined || (tree.kind === 'or' && known.length < bounds.length)) return null;
  const isTighter = tree.kind === 'and' ? (a: Bound, b: Bound) => a > b : (a: Bound, b: Bound) => a < b;
  return known.reduce<Bound>((best, one) => (isTighter(one, best) ? one : best), first);
}

type Bound = string | number;
