/** Fields of a change event in the order of its schema, which is that of the bits; `parts` where a field is a compound. */
export type FieldLayout = ReadonlyArray<{ readonly name: string; readonly parts: readonly string[] | null }>;

/** `0x400800`, or `4-0x01` for the parts of field 4. */
const ELEMENT = /^(?:(\d+)-)?0x([0-9A-Fa-f]+)$/;

/** Set bits, ascending. The last digit holds the lowest four. */
function bitsOf(hex: string): number[] {
  const bits: number[] = [];
  for (let digit = 0; digit < hex.length; digit += 1) {
    const value = Number.parseInt(hex.charAt(hex.length - 1 - digit), 16);
    for (let bit = 0; bit < 4; bit += 1) if ((value & (1 << bit)) !== 0) bits.push(digit * 4 + bit);
  }
  return bits;
}

/**
 * The field names behind the bitmaps of a change event's header, as CometD spells them: `Status`, `Name.FirstName`.
 *
 * A compound whose own bit is set, which is how Salesforce writes that all of it changed, is named with every part. Output:
 * distinct, in order of the schema, parts behind their compound; `null` when an element is no bitmap or has a bit that the
 * schema lacks: then it is not known what changed. Source: facts/salesforce.md §2.3.
 */
export function fieldsOfBitmaps(elements: readonly string[], layout: FieldLayout): string[] | null {
  const whole = new Set<number>();
  const parts = new Map<number, Set<number>>();
  for (const element of elements) {
    const [, parent, hex] = ELEMENT.exec(element) ?? [];
    if (hex === undefined) return null;
    const bits = bitsOf(hex);
    if (parent === undefined) {
      for (const bit of bits) whole.add(bit);
    } else {
      const set = parts.get(Number(parent)) ?? new Set();
      for (const bit of bits) set.add(bit);
      parts.set(Number(parent), set);
    }
  }
  const isKnown = [...whole].every((bit) => bit < layout.length);
  const areKnown = [...parts].every(([at, bits]) => {
    return [...bits].every((bit) => bit < (layout[at]?.parts?.length ?? 0));
  });
  if (!isKnown || !areKnown) return null;
  return layout.flatMap(({ name, parts: names }, at) => {
    const own = parts.get(at);
    const isWhole = whole.has(at);
    const changed = (names ?? []).filter((_, part) => isWhole || own?.has(part) === true);
    return [...(isWhole ? [name] : []), ...changed.map((part) => `${name}.${part}`)];
  });
}
