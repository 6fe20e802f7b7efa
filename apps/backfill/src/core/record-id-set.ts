/** Values of five base-62 characters: they fit a word, and so does every value plus one. */
const CHARS_A_WORD = 5;
const WORDS_AN_ID = 3;
const FIRST_SLOTS = 1_024;
/** Share of the slots that is used at most: past it a look-up takes long. */
const FULL = 0.7;

function digitOf(code: number): number {
  if (code < 58) return code - 48; // 0-9
  return code < 91 ? code - 55 : code - 61; // A-Z, a-z
}

/** Five characters as a number from 1 on: 0 marks a free slot. */
function wordOf(id: string, from: number): number {
  let value = 0;
  for (let at = from; at < from + CHARS_A_WORD; at += 1) value = value * 62 + digitOf(id.charCodeAt(at));
  return value + 1;
}

/**
 * A set of record ids for millions: an id takes 12 bytes, 17 to 35 with the free slots between, where a Set of strings takes some 100.
 * Ids are 15 base-62 characters (the other three of 18 are their checksum), packed into three words; open addressing.
 */
export class RecordIdSet {
  private slots = new Uint32Array(FIRST_SLOTS * WORDS_AN_ID);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Adds an id with a right checksum. Was it new? */
  add(id: string): boolean {
    const [a, b, c] = [wordOf(id, 0), wordOf(id, CHARS_A_WORD), wordOf(id, 2 * CHARS_A_WORD)];
    if (!this.put(a, b, c)) return false;
    this.count += 1;
    if (this.count > (this.slots.length / WORDS_AN_ID) * FULL) this.grow();
    return true;
  }

  private put(a: number, b: number, c: number): boolean {
    const { slots } = this;
    const last = slots.length / WORDS_AN_ID - 1; // the number of slots is a power of two
    // Ids run up in their last characters: each word must reach every bit.
    let hash = Math.imul(Math.imul(a ^ Math.imul(b, 0x85ebca6b), 0xc2b2ae35) ^ c, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    hash ^= hash >>> 13;
    for (let slot = hash & last; ; slot = (slot + 1) & last) {
      const at = slot * WORDS_AN_ID;
      if (slots[at] === 0) {
        slots[at] = a;
        slots[at + 1] = b;
        slots[at + 2] = c;
        return true;
      }
      if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c) return false;
    }
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS_AN_ID) {
      if (old[at] !== 0) this.put(old[at] ?? 0, old[at + 1] ?? 0, old[at + 2] ?? 0);
    }
  }
}
