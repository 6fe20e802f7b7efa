import type { EventLayout } from './event-layout.js';

/**
 * Bits as Salesforce prints them: `0x`, then the bytes from the most significant one, upper case. Bit n is element n of the
 * set. Source: facts/salesforce.md §2.3.
 */
export function toHex(bits: Iterable<number>): string {
  const bytes: number[] = [];
  for (const bit of bits) {
    const at = Math.floor(bit / 8);
    while (bytes.length <= at) bytes.push(0);
    bytes[at] = (bytes[at] ?? 0) | (1 << (bit % 8));
  }
  return `0x${Buffer.from(bytes.toReversed()).toString('hex').toUpperCase()}`;
}

/**
 * The bitmaps of a set of fields, named as in SOQL: one element for top-level fields if there are any, then
 * `<index>-0x…` for each compound field that has parts in the set. Fields that the layout lacks are left out.
 *
 * `wholeCompounds` writes a compound whose every part is in the set as one top-level bit, as Salesforce does for compounds
 * that were blanked at once.
 */
export function bitmapsOf(layout: EventLayout, names: Iterable<string>, wholeCompounds = false): string[] {
  const wanted = new Set(names);
  if (wanted.size === 0) return [];
  const top: number[] = [];
  const nested: string[] = [];
  layout.fields.forEach(({ field, parts }, index) => {
    const bit = index + 1;
    if (parts === null) {
      if (field !== null && wanted.has(field.name)) top.push(bit);
      return;
    }
    const own = parts.flatMap((part, at) => (part.field !== null && wanted.has(part.field.name) ? [at] : []));
    if (own.length === 0) return;
    const known = parts.filter((part) => part.field !== null).length;
    if (wholeCompounds && own.length === known) top.push(bit);
    else nested.push(`${bit}-${toHex(own)}`);
  });
  return [...(top.length === 0 ? [] : [toHex(top)]), ...nested];
}
