import { casts, MISFIT, splitMultiSelect } from './cast-value.js';
import { converterFor } from './convert-value.js';
import type { NullRule, ValueList, ValueType } from './mapping.js';
import type { SourceRecord } from './record-readers.js';
import { MAX_TEXT_LENGTH, shortenTexts } from './shorten-texts.js';

/** One row on its way through a mapping. */
export interface Run {
  readonly record: SourceRecord;
  /** What the transforms gave, in their order. */
  readonly results: readonly unknown[];
  /** Targets whose text was cut. */
  readonly shortened: string[];
  /** The first value that was not of the type of its target. */
  misfit: { readonly target: string; readonly type: ValueType } | null;
}

/** Makes one value of the body; `undefined` leaves it out. */
export type Make = (run: Run) => unknown;

/** What a mapping and describe say of one target. */
export interface LeafRules {
  readonly target: string;
  readonly describeType?: string;
  readonly values?: ValueList;
  readonly type?: ValueType;
  readonly onNull: NullRule;
}

/**
 * What makes the value of one target: read, converted by its describe type, looked up in its value list, made of its type, cut to
 * Iterable's length, and left out when it is empty and the mapping says so. Rules that do not apply cost nothing.
 */
export function compileLeaf(read: Make, { target, describeType, values, type, onNull }: LeafRules): Make {
  const steps: Array<(value: unknown, run: Run) => unknown> = [];
  const isList = type === 'list';
  if (values !== undefined) steps.push(valueLookup(values, isList, describeType === 'multipicklist'));
  if (type !== undefined) {
    const cast = casts[type];
    steps.push((value, run) => {
      const made = cast(value);
      if (made !== MISFIT) return made;
      run.misfit ??= { target, type };
      return null;
    });
  }
  const convert = converterFor(describeType);
  const empty = onNull === 'omit' ? undefined : null;
  return (run) => {
    let value = convert(read(run));
    if (value === undefined) return undefined;
    for (const step of steps) {
      if (value === null) break;
      value = step(value, run);
    }
    if (value === null) return empty;
    if (typeof value === 'string' ? value.length > MAX_TEXT_LENGTH : typeof value === 'object') {
      const cut = shortenTexts(value);
      if (cut !== value) run.shortened.push(target);
      return cut;
    }
    return value;
  };
}

/** What a value becomes by a list; a multi-select is looked up value by value. */
function valueLookup({ map, others }: ValueList, isList: boolean, isMultiSelect: boolean): (value: unknown) => unknown {
  const one = (value: unknown): unknown => {
    const found = map.get(String(value));
    if (found !== undefined) return found;
    return others === 'keep' ? value : null;
  };
  if (!isList && !isMultiSelect) return (value) => (typeof value === 'object' ? value : one(value));
  return (value) => {
    const items: unknown[] = Array.isArray(value) ? value : splitMultiSelect(String(value));
    const made = items.map(one).filter((item) => item !== null);
    if (made.length === 0) return null;
    return isList ? made : made.map(String).join(';');
  };
}
