/**
 * Longest text that is sent, in UTF-16 units: a little under the some 32,000 characters that Iterable keeps of a value, of
 * which the exact number is not published. Source: facts/iterable.md §4, value size.
 */
export const MAX_TEXT_LENGTH = 32_000;

/** A text cut to what Iterable keeps, never inside a character. */
export function shortenText(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  const last = text.charCodeAt(MAX_TEXT_LENGTH - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? MAX_TEXT_LENGTH - 1 : MAX_TEXT_LENGTH);
}

/** The value with every text in it cut; the very same value when none is too long. */
export function shortenTexts(value: unknown): unknown {
  if (typeof value === 'string') return shortenText(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const items = value.map(shortenTexts);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = Object.entries(value).map(([name, inner]) => [name, inner, shortenTexts(inner)] as const);
  if (entries.every(([, before, after]) => before === after)) return value;
  return Object.fromEntries(entries.map(([name, , after]) => [name, after]));
}
