import { normalizeEmail } from './email.js';
import type { TargetType } from './target-types.js';

/** The forms of a date that Iterable takes: day, time, fraction, zone. Source: facts/iterable.md §4, dates accepted. */
const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.\d{1,3})?\s?(Z|[+-]\d{2}:?\d{2})?)?$/;
const NUMBER = /^-?\d+(?:\.\d+)?$/;

/**
 * Are both the same to Iterable, so that writing one over the other changes nothing?
 *
 * `undefined` and `null` are absent. A date is compared as a moment, in whole seconds and in UTC where it names no zone, unless
 * the field is known to be no date; a number also with its text, because a field has one type for all its values; an email
 * without regard to case. Lists by their items, in order.
 */
export function isSameValue(a: unknown, b: unknown, type?: TargetType, isEmail = false): boolean {
  if (a === undefined || a === null || b === undefined || b === null) return (a ?? null) === (b ?? null);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSameValue(item, b[index], type));
  }
  if (typeof a === 'object' && typeof b === 'object') return isSameObject(a, b);
  if (typeof a === 'string' && typeof b === 'string') {
    if (isEmail) return normalizeEmail(a) === normalizeEmail(b);
    return a === b || ((type === undefined || type === 'date') && isSameMoment(a, b));
  }
  if (typeof a === 'number' && typeof b === 'string') return NUMBER.test(b) && Number(b) === a;
  if (typeof a === 'string' && typeof b === 'number') return NUMBER.test(a) && Number(a) === b;
  return a === b;
}

/** Objects inside of lists; their keys in any order. */
function isSameObject(a: object, b: object): boolean {
  if (Array.isArray(a) || Array.isArray(b)) return false;
  const [one, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return [...new Set([...one.keys(), ...other.keys()])].every((key) => isSameValue(one.get(key), other.get(key)));
}

function isSameMoment(a: string, b: string): boolean {
  const moment = momentOf(a);
  return moment !== null && moment === momentOf(b);
}

function momentOf(text: string): number | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [, day, time = '00:00:00', zone = 'Z'] = match;
  const moment = Date.parse(`${day}T${time}${zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
  return Number.isNaN(moment) ? null : moment;
}
