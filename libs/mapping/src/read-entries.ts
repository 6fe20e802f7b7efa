import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type YAMLMap } from 'yaml';
import type { MappingMistake } from './mapping.js';

/** Collects what is wrong with one file. Positions are character offsets into its text. */
export class Mistakes {
  readonly lines = new LineCounter();
  readonly found: MappingMistake[] = [];

  constructor(
    readonly file: string,
    readonly text: string,
  ) {}

  add(offset: number, message: string, suggestion?: string): void {
    const { line, col } = this.lines.linePos(offset);
    const place = { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
    this.found.push(suggestion === undefined ? { ...place, message } : { ...place, message, suggestion });
  }

  lineOf(offset: number): number {
    return this.lines.linePos(offset).line;
  }
}

/** One `key: value` of a block, with where the key and the value stand. */
export interface Entry {
  readonly key: string;
  readonly value: unknown;
  /** The values when it is a list of plain ones. */
  readonly list: readonly unknown[] | null;
  /** The value when it is a block itself. */
  readonly block: YAMLMap | null;
  readonly keyOffset: number;
  readonly valueOffset: number;
}

/**
 * Reads YAML or JSON (to the YAML parser, JSON is YAML) whose top is a block of keys. `null` when it is neither: what is
 * wrong is in `mistakes` then.
 */
export function readTop(mistakes: Mistakes): { document: Document; top: YAMLMap } | null {
  const { text } = mistakes;
  const document = parseDocument(text, {
    lineCounter: mistakes.lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false, // entriesOf tells where the first one stands
  });
  const replacement = text.indexOf('\uFFFD');
  if (replacement >= 0) mistakes.add(replacement, 'the file is not UTF-8 text');
  for (const problem of [...document.errors, ...document.warnings]) {
    mistakes.add(problem.pos[0], `cannot be read as YAML: ${problem.message}`);
  }
  if (mistakes.found.length > 0) return null;
  if (mistakes.file.endsWith('.json') && !isJson(text)) {
    mistakes.add(0, 'is not JSON; give it the ending .yaml if it is YAML');
    return null;
  }
  const top = document.contents;
  if (!isMap(top)) {
    mistakes.add(0, text.trim() === '' ? 'the file is empty' : 'the file is not an object of keys and values');
    return null;
  }
  return { document, top };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the YAML parser has said where, if it is not even YAML
  }
}

/** The entries of a block in file order, without those whose key was there before: they are mistakes. */
export function entriesOf(block: YAMLMap, document: Document, mistakes: Mistakes): Entry[] {
  const seen = new Map<string, Entry>();
  for (const { key: keyNode, value: valueNode } of block.items) {
    if (!isScalar(keyNode)) continue; // refused by the parser
    const key = String(keyNode.value);
    const resolved = isAlias(valueNode) ? valueNode.resolve(document) : valueNode;
    const keyOffset = keyNode.range?.[0] ?? 0;
    const entry: Entry = {
      key,
      value: isScalar(resolved) ? resolved.value : resolved,
      list: listOf(resolved),
      block: isMap(resolved) ? resolved : null,
      keyOffset,
      valueOffset: (valueNode as { range?: readonly number[] } | null)?.range?.[0] ?? keyOffset,
    };
    const first = seen.get(key);
    if (first === undefined) seen.set(key, entry);
    else mistakes.add(keyOffset, `"${key}" is written twice, first on line ${mistakes.lineOf(first.keyOffset)}`);
  }
  return [...seen.values()];
}

function listOf(node: unknown): unknown[] | null {
  return isSeq(node) && node.items.every((item) => isScalar(item)) ? node.items.map((item) => item.value) : null;
}

/**
 * Where in a file a character of a text value stands that begins at `offset`, in any of YAML's ways to write a text: quoted,
 * folded and indented ones differ from their value in blanks and escapes. The beginning, when it cannot be told.
 */
export function offsetInText(file: string, offset: number, value: string, index: number): number {
  const quote = file[offset] === '"' || file[offset] === "'" ? file[offset] : null;
  const isBlock = file[offset] === '|' || file[offset] === '>';
  let at = isBlock ? file.indexOf('\n', offset) + 1 : offset + (quote === null ? 0 : 1);
  for (let place = 0; place < Math.min(index, value.length); place += 1) {
    const char = value[place] as string;
    if (/\s/.test(char)) continue;
    at = skipTo(char);
    if (file[at] !== char) return offset;
    at += quote === "'" && char === "'" ? 2 : 1;
  }
  const last = value[index];
  if (last === undefined || /\s/.test(last)) return at;
  const found = skipTo(last);
  return file[found] === last ? found : offset;

  function skipTo(char: string): number {
    let next = at;
    while (next < file.length && file[next] !== char && (/\s/.test(file[next] as string) || isEscape(next))) next += 1;
    return isEscape(next) && file[next + 1] === char ? next + 1 : next;
  }

  function isEscape(place: number): boolean {
    return quote === '"' && file[place] === '\\';
  }
}
