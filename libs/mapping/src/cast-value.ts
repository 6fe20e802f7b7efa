import { toIterableDateTime } from './convert-value.js';
import type { ValueType } from './mapping.js';

/** A value that cannot be made one of the wanted type. */
export const MISFIT: unique symbol = Symbol('misfit');

/** A value that is neither empty nor absent → the same as another type, or {@link MISFIT}. */
export type Cast = (value: unknown) => unknown;

const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const DATE = /^(\d{4}-\d{2}-\d{2})$/;
const ITERABLE_DATETIME = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) ([+-]\d{2}:\d{2})$/;

function toText(value: unknown): unknown {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : MISFIT;
}

function toLong(value: unknown): unknown {
  const number = typeof value === 'string' && WHOLE.test(value.trim()) ? Number(value) : value;
  return Number.isSafeInteger(number) ? number : MISFIT;
}

function toDouble(value: unknown): unknown {
  const number = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : MISFIT;
}

function toBoolean(value: unknown): unknown {
  if (typeof value === 'boolean') return value;
  const text = String(value).trim().toLowerCase();
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : MISFIT;
}

/** A number is epoch milliseconds, as JSONata's time functions and change events give them. */
function toDate(value: unknown): unknown {
  if (typeof value === 'number') {
    const date = new Date(value);
    return Number.isNaN(date.getTime()) ? MISFIT : toIterableDateTime(date.toISOString());
  }
  if (typeof value !== 'string') return MISFIT;
  const text = toIterableDateTime(value.trim());
  const [, date] = DATE.exec(text) ?? [];
  if (date !== undefined) return isCalendarDate(date) ? text : MISFIT;
  const [, day, time, zone] = ITERABLE_DATETIME.exec(text) ?? [];
  if (day === undefined || !isCalendarDate(day)) return MISFIT;
  return Number.isNaN(Date.parse(`${day}T${time}${zone}`)) ? MISFIT : text;
}

/** Date.parse takes 30 February for 2 March. */
function isCalendarDate(date: string): boolean {
  const parsed = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}

/** A multi-select is written `A;B`. */
function toList(value: unknown): unknown {
  if (Array.isArray(value)) return value.every((item) => toText(item) !== MISFIT) ? value : MISFIT;
  if (typeof value !== 'string') return MISFIT;
  return splitMultiSelect(value);
}

/** The values of a multi-select picklist. */
export function splitMultiSelect(text: string): string[] {
  return text
    .split(';')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** How a value is made one of a type. Source of what Iterable takes: facts/iterable.md §4. */
export const casts: Readonly<Record<ValueType, Cast>> = {
  string: toText,
  long: toLong,
  double: toDouble,
  boolean: toBoolean,
  date: toDate,
  list: toList,
};
