/** A value as Salesforce gave it → as Iterable needs it. `undefined` (the row does not have the field) stays `undefined`. */
export type Convert = (value: unknown) => unknown;

/** A datetime as SOQL over REST writes it, and nothing else does. Source: facts/salesforce.md §1.5, dates. */
const REST_DATETIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+0000$/;

/** Any form of a datetime that Salesforce is known to write: date, time, sign and digits of the offset. */
const DATETIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(?:Z|([+-]\d{2}):?(\d{2}))$/;

/**
 * A Salesforce datetime as `yyyy-MM-dd HH:mm:ss +00:00`: the form that Iterable stores as a date, without the
 * milliseconds, which it refuses there. A text that is no datetime stays as it is. Source: facts/iterable.md §4.
 */
export function toIterableDateTime(text: string): string {
  const match = DATETIME.exec(text);
  if (match === null) return text;
  const [, date, time, hours = '+00', minutes = '00'] = match;
  if (Number(hours) === 0 && minutes === '00') return `${date} ${time} +00:00`;
  const instant = Date.parse(`${date}T${time}${hours}:${minutes}`);
  if (Number.isNaN(instant)) return text;
  return `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} +00:00`;
}

/** Salesforce has no empty text, and Iterable would fix the type of a field by one: both say "no value" with null. */
function blankToNull(value: unknown): unknown {
  return value === '' ? null : value;
}

function convertDateTime(value: unknown): unknown {
  return typeof value === 'string' && value !== '' ? toIterableDateTime(value) : blankToNull(value);
}

function convertByForm(value: unknown): unknown {
  return typeof value === 'string' && REST_DATETIME.test(value) ? toIterableDateTime(value) : blankToNull(value);
}

/**
 * How values of a describe type are converted. Dates have no zone and are not shifted; numbers, booleans and texts (a
 * multi-select picklist too, `A;B`) go as they are. Without a type the form decides.
 */
export function converterFor(type: string | undefined): Convert {
  if (type === undefined) return convertByForm;
  return type === 'datetime' ? convertDateTime : blankToNull;
}
