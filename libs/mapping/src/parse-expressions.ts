import { expressionReads, type Read } from './expression-reads.js';
import { relationshipsOf, sourceMistake } from './paths.js';
import { offsetInText, type Entry, type Mistakes } from './read-entries.js';

/** An expression of the file that is right by itself. */
export interface ParsedExpression {
  readonly text: string;
  readonly entry: Entry;
  readonly reads: readonly Read[];
}

/** A place where the file names a source path. */
export interface NamedSource {
  readonly source: string;
  readonly offset: number;
}

/** Checks one expression; `null` when it is none. What is wrong is told where it stands. */
export function parseExpressionEntry(entry: Entry, what: string, mistakes: Mistakes): ParsedExpression | null {
  const { value, valueOffset } = entry;
  if (typeof value !== 'string' || value.trim() === '') {
    mistakes.add(valueOffset, `${what} must be a JSONata expression, written as a text`);
    return null;
  }
  const { reads, mistakes: found } = expressionReads(value);
  for (const { message, suggestion, position } of found) {
    mistakes.add(placeOf(entry, position, mistakes), `${what} ${message}`, suggestion);
  }
  return found.length === 0 ? { text: value, entry, reads } : null;
}

function placeOf({ value, valueOffset }: Entry, position: number, mistakes: Mistakes): number {
  return offsetInText(mistakes.text, valueOffset, String(value), position);
}

/**
 * Checks what the expressions of a file read against what it reads elsewhere (`named`): fields in one spelling, and a
 * relationship only through its fields, since SOQL cannot select it as a whole.
 */
export function checkReads(
  expressions: ReadonlyArray<ParsedExpression & { readonly what: string }>,
  named: readonly NamedSource[],
  mistakes: Mistakes,
): void {
  const paths = [...named.map(({ source }) => source), ...expressions.flatMap(({ reads }) => reads.map(pathOf))];
  const relationships = new Set(paths.flatMap(relationshipsOf));
  const spellings = new Map<string, { source: string; line: number }>();
  for (const { source, offset } of named)
    spellings.set(source.toLowerCase(), { source, line: mistakes.lineOf(offset) });
  for (const { what, entry, reads } of expressions) {
    const told = new Set<string>();
    for (const { path, existence, position } of reads) {
      if (told.has(path)) continue;
      told.add(path);
      const place = placeOf(entry, position, mistakes);
      if (relationships.has(path)) {
        if (!existence)
          mistakes.add(place, `${what} takes all of "${path}", which is not one value; name a field of it`);
        continue;
      }
      const wrong = sourceMistake(path);
      if (wrong !== null) mistakes.add(place, `${what} reads a path that is none: ${wrong.message}`, wrong.suggestion);
      const first = spellings.get(path.toLowerCase());
      if (first === undefined) spellings.set(path.toLowerCase(), { source: path, line: mistakes.lineOf(place) });
      else if (first.source !== path) {
        mistakes.add(place, `${what} spells "${path}" in another way than line ${first.line}`, first.source);
      }
    }
  }
}

function pathOf({ path }: Read): string {
  return path;
}
