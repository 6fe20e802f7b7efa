const DATE_TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})$/;

/**
 * A datetime as any of Salesforce's APIs writes it, as epoch milliseconds; `null` for anything else.
 * REST: `2022-11-09T01:46:18.000+0000` (no colon: strict parsers refuse it). Events and Bulk: `…Z`, older events without millis.
 * Source: facts/salesforce.md §1.5.
 */
export function parseSalesforceDateTime(text: string): number | null {
  const parts = DATE_TIME.exec(text);
  if (parts === null) return null;
  const [, dateTime = '', fraction = '', zone = 'Z'] = parts;
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const time = Date.parse(`${dateTime}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(time) ? null : time;
}
