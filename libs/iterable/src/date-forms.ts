/** Date, then maybe time, fraction and zone; with a T or a space between, and with or without a colon in the zone. */
const ISO =
  /^(?<day>(?<year>\d{4})-(?<month>\d\d)-(?<date>\d\d))(?:[T ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d{1,9}))?)?(?: ?(?<zone>Z|[+-]\d\d(?::?\d\d)?))?)?$/;

/**
 * A point in time, or a day, in a form that Iterable takes for a date: `yyyy-MM-dd`, `yyyy-MM-dd HH:mm:ss`, the latter with
 * ` ±HH:MM`, or `yyyy-MM-ddTHH:mm:ss.SSS` with `Z` or `±HH:MM`. A text in one of them stays as it is; other forms of ISO 8601,
 * such as Salesforce's `…000+0000`, are rewritten to one that says the same. `null`: it is no date, or no form can hold it, as
 * with a fraction of a second without a zone. Source: Iterable support, 208183076, and the forms that iterable-go tests.
 */
export function toDateForm(text: string): string | null {
  const parts = ISO.exec(text)?.groups;
  if (parts === undefined || !isReal(parts)) return null;
  const { day, hour, minute, second = '00', fraction = '', zone } = parts;
  if (hour === undefined) return day ?? null;
  const time = `${hour}:${minute}:${second}`;
  const millis = fraction.padEnd(3, '0');
  if (/[1-9]/.test(millis.slice(3))) return null; // finer than a millisecond
  const offset = zone === undefined ? undefined : offsetOf(zone);
  if (offset === null) return null;
  if (offset !== undefined && fraction !== '') {
    return `${day}T${time}.${millis.slice(0, 3)}${zone === 'Z' ? 'Z' : offset}`;
  }
  if (/[1-9]/.test(millis)) return null; // no form has a fraction and no zone
  return offset === undefined ? `${day} ${time}` : `${day} ${time} ${offset}`;
}

/** `±HH:MM`, or `null` where there is no such zone. */
function offsetOf(zone: string): string | null {
  if (zone === 'Z') return '+00:00';
  const hours = zone.slice(0, 3);
  const minutes = zone.slice(3).replace(':', '') || '00';
  return Number(hours.slice(1)) <= 18 && Number(minutes) < 60 ? `${hours}:${minutes}` : null;
}

function isReal({ year, month, date, hour, minute, second }: Record<string, string | undefined>): boolean {
  const day = new Date(0);
  day.setUTCFullYear(Number(year), Number(month) - 1, Number(date));
  const isDay = day.getUTCMonth() === Number(month) - 1 && day.getUTCDate() === Number(date);
  return isDay && Number(hour ?? 0) < 24 && Number(minute ?? 0) < 60 && Number(second ?? 0) < 60;
}
