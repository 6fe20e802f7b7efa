import type { Document } from 'yaml';
import { entriesOf, type Entry, type Mistakes } from './read-entries.js';
import { suggest } from './suggest.js';

/** `a, b and c`. */
export function list(words: readonly string[], last: 'and' | 'or' = 'and'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

/** A block of a mapping file: its entries, with what is wrong collected on the way. */
export class Block {
  constructor(
    private readonly found: readonly Entry[],
    readonly document: Document,
    readonly mistakes: Mistakes,
  ) {}

  entries(): readonly Entry[] {
    return this.found;
  }

  entry(key: string): Entry | undefined {
    return this.found.find((entry) => entry.key === key);
  }

  /** The block that an entry holds; `null`, and a mistake, when it holds none. `keys`: the only ones that it may have. */
  inner(entry: Entry, what: string, keys?: readonly string[]): Block | null {
    if (entry.block === null) {
      this.mistakes.add(entry.valueOffset, `${what} must be a block of keys and values`);
      return null;
    }
    const inner = new Block(entriesOf(entry.block, this.document, this.mistakes), this.document, this.mistakes);
    if (keys !== undefined) inner.checkKeys(keys, `in ${what}`);
    return inner;
  }

  /** The block under a key; `null` when the key is not there, or, with a mistake, when it holds none. */
  block(key: string, what: string): Block | null {
    const entry = this.entry(key);
    return entry === undefined ? null : this.inner(entry, what);
  }

  checkKeys(keys: readonly string[], where?: string): void {
    for (const { key, keyOffset } of this.found) {
      if (keys.includes(key)) continue;
      const meant = suggest(key, keys);
      const known =
        meant === undefined ? `; ${keys.length === 1 ? 'the only key is' : 'the keys are'} ${list(keys)}` : '';
      this.mistakes.add(keyOffset, `unknown key "${key}"${where === undefined ? '' : ` ${where}`}${known}`, meant);
    }
  }

  /** Is a missing key there after all, misspelt? Then it is told once, where it stands. */
  isMisspelt(name: string, keys: readonly string[]): boolean {
    return this.found.some(({ key }) => key !== name && suggest(key, keys) === name);
  }
}
