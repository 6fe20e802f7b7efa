const DAY_MS = 86_400_000;

/** A span of time in epoch milliseconds: `from` inclusive, `to` exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

type Unit = 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR';

/** Midnight UTC of the unit that holds `now`, moved by `count` units. Weeks begin on Sunday, as in a US org. */
function startOf(unit: Unit, now: number, count: number): number {
  const date = new Date(now);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (unit) {
    case 'DAY':
      return Date.UTC(year, month, day + count);
    case 'WEEK':
      return Date.UTC(year, month, day - date.getUTCDay() + 7 * count);
    case 'MONTH':
      return Date.UTC(year, month + count, 1);
    case 'QUARTER':
      return Date.UTC(year, Math.floor(month / 3) * 3 + 3 * count, 1);
    default:
      return Date.UTC(year + count, 0, 1);
  }
}

const FIXED: Record<string, [Unit, number]> = {
  YESTERDAY: ['DAY', -1],
  TODAY: ['DAY', 0],
  TOMORROW: ['DAY', 1],
};

const WHEN = { LAST: -1, THIS: 0, NEXT: 1 } as const;

/**
 * The span a SOQL date literal stands for, e.g. `TODAY`, `LAST_MONTH`, `LAST_N_DAYS:3`; the user's time zone is UTC and the
 * fiscal year is the calendar year. `null` for an unknown literal. Source: SOQL reference, date formats and date literals.
 */
export function dateLiteralSpan(literal: string, now: number): Span | null {
  const [name = '', count] = literal.toUpperCase().replace('FISCAL_', '').split(':');
  const n = Number(count ?? 0);
  const fixed = FIXED[name];
  if (fixed !== undefined) return span(fixed[0], now, fixed[1], fixed[1] + 1);
  if (name === 'LAST_90_DAYS') return span('DAY', now, -90, 1);
  if (name === 'NEXT_90_DAYS') return span('DAY', now, 1, 91);
  const plain = /^(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)$/.exec(name);
  if (plain) {
    const offset = WHEN[plain[1] as keyof typeof WHEN];
    return span(plain[2] as Unit, now, offset, offset + 1);
  }
  const counted = /^(LAST|NEXT)_N_(DAY|WEEK|MONTH|QUARTER|YEAR)S$/.exec(name);
  if (counted) {
    const unit = counted[2] as Unit;
    // LAST_N_DAYS goes up to and includes today; the longer units end with the last full one.
    if (counted[1] === 'LAST') return span(unit, now, -n, unit === 'DAY' ? 1 : 0);
    return span(unit, now, 1, n + 1);
  }
  const ago = /^N_(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO$/.exec(name);
  return ago ? span(ago[1] as Unit, now, -n, -n + 1) : null;
}

function span(unit: Unit, now: number, from: number, to: number): Span {
  return { from: startOf(unit, now, from), to: startOf(unit, now, to) };
}

/** Epoch milliseconds as a date, `YYYY-MM-DD`. */
export const isoDate = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Whether a text is a calendar date `YYYY-MM-DD`. */
export function isIsoDate(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(ms) && isoDate(ms) === text;
}

export { DAY_MS };
