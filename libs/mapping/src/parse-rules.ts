import { casts, MISFIT } from './cast-value.js';
import {
  nullRules,
  otherRules,
  valueTypes,
  type Mapping,
  type NullRule,
  type OtherRule,
  type Scalar,
  type ValueList,
  type ValueType,
} from './mapping.js';
import { isRuled, type Filled } from './parse-targets.js';
import { targetMistake } from './paths.js';
import { list, type Block } from './read-block.js';
import type { Entry } from './read-entries.js';
import { MAX_TEXT_LENGTH } from './shorten-texts.js';
import { suggest } from './suggest.js';

/** What people call a type elsewhere. */
const OTHER_NAMES: Readonly<Record<string, ValueType>> = {
  text: 'string',
  int: 'long',
  integer: 'long',
  number: 'double',
  float: 'double',
  decimal: 'double',
  currency: 'double',
  percent: 'double',
  bool: 'boolean',
  checkbox: 'boolean',
  datetime: 'date',
  array: 'list',
  multipicklist: 'list',
};

export function isScalar(value: unknown): value is Scalar {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}

/** The word of an entry, if it is one of those that may stand there. */
export function wordOf<Word extends string>(
  { value, valueOffset }: Entry,
  what: string,
  words: readonly Word[],
  { mistakes }: Pick<Block, 'mistakes'>,
  otherNames: Readonly<Record<string, Word>> = {},
): Word | null {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  const given = typeof value === 'string' ? value : '';
  mistakes.add(
    valueOffset,
    `${what} is ${list(words, 'or')}`,
    otherNames[given.toLowerCase()] ?? suggest(given, words),
  );
  return null;
}

export function parseTypes(block: Block, filled: readonly Filled[]): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const entry of block.entries()) {
    if (!isRuled('type', entry.key, entry.keyOffset, filled, block.mistakes)) continue;
    const type = wordOf(entry, `the type of "${entry.key}"`, valueTypes, block, OTHER_NAMES);
    if (type !== null) types.set(entry.key, type);
  }
  return types;
}

export function parseOnNull(block: Block, filled: readonly Filled[]): Mapping['onNull'] {
  const targets = new Map<string, NullRule>();
  let byDefault: NullRule = 'clear';
  for (const one of block.entries()) {
    if (one.key !== 'default' && !isRuled('onNull', one.key, one.keyOffset, filled, block.mistakes)) continue;
    const rule = wordOf(one, `what becomes of an empty "${one.key}"`, nullRules, block);
    if (rule === null) continue;
    if (one.key === 'default') byDefault = rule;
    else targets.set(one.key, rule);
  }
  return { default: byDefault, targets };
}

export function parseConstants(
  block: Block,
): Array<{ readonly entry: Entry; readonly value: Scalar | Scalar[] | null }> {
  const { mistakes } = block;
  return block.entries().flatMap((entry) => {
    const { key, keyOffset, value, list: items, valueOffset } = entry;
    const wrong = targetMistake(key);
    if (wrong !== null) {
      mistakes.add(keyOffset, wrong.message, wrong.suggestion);
      return [];
    }
    if (key === 'email' || key === 'userId') {
      mistakes.add(keyOffset, `"${key}" says who the user is, so it cannot be the same for every record`);
      return [];
    }
    const values = items ?? [value];
    const isOne = items === null && value === null;
    if (
      !isOne &&
      (values.length === 0 || !values.every(isScalar) || new Set(values.map((one) => typeof one)).size > 1)
    ) {
      mistakes.add(
        valueOffset,
        `the constant "${key}" must be a text, number, true or false, a list of one of them, or null`,
      );
      return [];
    }
    if (values.some((one) => one === '' || (typeof one === 'string' && one.length > MAX_TEXT_LENGTH))) {
      mistakes.add(
        valueOffset,
        `the constant "${key}" must have 1 to ${MAX_TEXT_LENGTH} characters; null clears the field`,
      );
      return [];
    }
    return [{ entry, value: (items ?? value) as Scalar | Scalar[] | null }];
  });
}

/** A constant must be of the type that the file gives it. */
export function checkConstantTypes(
  constants: ReadonlyArray<{ readonly entry: Entry; readonly value: Scalar | Scalar[] | null }>,
  types: ReadonlyMap<string, ValueType>,
  { mistakes }: Pick<Block, 'mistakes'>,
): void {
  for (const { entry, value } of constants) {
    const type = types.get(entry.key);
    if (type === undefined || value === null || casts[type](value) !== MISFIT) continue;
    mistakes.add(entry.valueOffset, `the constant "${entry.key}" is no ${type}`);
  }
}

export function parseValueLists(
  block: Block,
  filled: readonly Filled[],
  types: ReadonlyMap<string, ValueType>,
): Map<string, ValueList> {
  const lists = new Map<string, ValueList>();
  for (const entry of block.entries()) {
    if (!isRuled('values', entry.key, entry.keyOffset, filled, block.mistakes)) continue;
    const what = `the value list of "${entry.key}"`;
    const inner = block.inner(entry, what, ['map', 'others']);
    if (inner === null) continue;
    const map = parseValueMap(entry, inner, what, types.get(entry.key));
    const others = parseOthers(inner);
    if (map !== null && others !== null) lists.set(entry.key, { map, others });
  }
  return lists;
}

function parseOthers(inner: Block): OtherRule | null {
  const entry = inner.entry('others');
  return entry === undefined ? 'keep' : wordOf(entry, 'what becomes of other values', otherRules, inner);
}

function parseValueMap(entry: Entry, inner: Block, what: string, type?: ValueType): Map<string, Scalar | null> | null {
  const { mistakes } = inner;
  const lines = inner.block('map', `"map" of ${what}`)?.entries();
  if (lines === undefined || lines.length === 0) {
    if (lines !== undefined || inner.entry('map') === undefined) {
      mistakes.add(entry.keyOffset, `${what} has no "map": what each value becomes, from: to`);
    }
    return null;
  }
  const map = new Map<string, Scalar | null>();
  for (const { key, value, valueOffset } of lines) {
    if (value === '' || (value !== null && !isScalar(value))) {
      mistakes.add(valueOffset, `what "${key}" becomes must be a text, number, true, false or null`);
    } else if (type !== undefined && value !== null && casts[type](value) === MISFIT && type !== 'list') {
      mistakes.add(valueOffset, `what "${key}" becomes is no ${type}`);
    } else map.set(key, value);
  }
  const kinds = new Set([...map.values()].filter((value) => value !== null).map((value) => typeof value));
  if (kinds.size > 1 && type === undefined) {
    mistakes.add(entry.keyOffset, `${what} makes values of several types (${[...kinds].join(', ')}); a field has one`);
  }
  return map;
}
