import { describe, expect, it } from 'vitest';
import { dateLiteralSpan, isIsoDate, isoDate } from './date-literals.js';

// A Tuesday in November.
const NOW = Date.parse('2026-11-24T08:41:05Z');

describe('dateLiteralSpan', () => {
  it.each([
    ['TODAY', '2026-11-24', '2026-11-25'],
    ['YESTERDAY', '2026-11-23', '2026-11-24'],
    ['TOMORROW', '2026-11-25', '2026-11-26'],
    ['THIS_WEEK', '2026-11-22', '2026-11-29'],
    ['LAST_WEEK', '2026-11-15', '2026-11-22'],
    ['THIS_MONTH', '2026-11-01', '2026-12-01'],
    ['NEXT_MONTH', '2026-12-01', '2027-01-01'],
    ['LAST_QUARTER', '2026-07-01', '2026-10-01'],
    ['THIS_FISCAL_YEAR', '2026-01-01', '2027-01-01'],
    ['LAST_90_DAYS', '2026-08-26', '2026-11-25'],
    ['NEXT_90_DAYS', '2026-11-25', '2027-02-23'],
    ['LAST_N_DAYS:3', '2026-11-21', '2026-11-25'],
    ['NEXT_N_DAYS:2', '2026-11-25', '2026-11-27'],
    ['LAST_N_MONTHS:2', '2026-09-01', '2026-11-01'],
    ['N_DAYS_AGO:10', '2026-11-14', '2026-11-15'],
    ['N_YEARS_AGO:1', '2025-01-01', '2026-01-01'],
  ])('%s is from %s to before %s', (literal, from, to) => {
    const span = dateLiteralSpan(literal, NOW);
    expect(span && [isoDate(span.from), isoDate(span.to)]).toEqual([from, to]);
  });

  it('does not know others', () => {
    expect(dateLiteralSpan('SOMEDAY', NOW)).toBeNull();
  });
});

describe('isIsoDate', () => {
  it.each([
    ['2024-02-29', true],
    ['2023-02-29', false],
    ['2024-2-9', false],
    ['2024-02-29T00:00:00Z', false],
  ])('%s: %s', (text, expected) => {
    expect(isIsoDate(text)).toBe(expected);
  });
});
