import { isObject, type Json, type JsonObject } from './json.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** 0 → a, 51 → Z, 52 → aa: letters only, so that neither an array index nor `__proto__` comes out. */
function token(index: number): string {
  const last = LETTERS[index % LETTERS.length] ?? 'a';
  return index < LETTERS.length ? last : token(Math.floor(index / LETTERS.length) - 1) + last;
}

/**
 * Keeps JSON objects as short texts: field names are written once, in a dictionary, since a million profiles share them.
 * Field names are bounded by the project's field cap, hence so is the dictionary.
 */
export class Packer {
  private readonly tokens = new Map<string, string>();
  private readonly names = new Map<string, string>();

  pack(value: Json): string {
    return JSON.stringify(this.shorten(value));
  }

  unpack(text: string): Json {
    return this.lengthen(JSON.parse(text) as Json);
  }

  private shorten(value: Json): Json {
    if (Array.isArray(value)) return value.map((item) => this.shorten(item));
    if (!isObject(value)) return value;
    const short: JsonObject = {};
    for (const name of Object.keys(value)) short[this.tokenOf(name)] = this.shorten(value[name] ?? null);
    return short;
  }

  private lengthen(value: Json): Json {
    if (Array.isArray(value)) return value.map((item) => this.lengthen(item));
    if (!isObject(value)) return value;
    const long: JsonObject = {};
    for (const short of Object.keys(value)) long[this.names.get(short) ?? short] = this.lengthen(value[short] ?? null);
    return long;
  }

  private tokenOf(name: string): string {
    const known = this.tokens.get(name);
    if (known !== undefined) return known;
    const made = token(this.tokens.size);
    this.tokens.set(name, made);
    this.names.set(made, name);
    return made;
  }
}
