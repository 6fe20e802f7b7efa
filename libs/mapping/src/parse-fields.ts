import type { FieldMapping } from './mapping.js';
import { sourceMistake, targetMistake } from './paths.js';
import type { Entry, Mistakes } from './read-entries.js';

/** One line of the `fields` block that is right by itself. */
export interface Line extends FieldMapping {
  readonly sourceOffset: number;
  readonly targetOffset: number;
}

/** The lines that are right by themselves; SOQL does not tell letter case apart, and refuses a field that is selected twice. */
export function parseLines(entries: readonly Entry[], mistakes: Mistakes): Line[] {
  const lines = entries.flatMap((entry) => lineOf(entry, mistakes) ?? []);
  const seen = new Map<string, Line>();
  for (const line of lines) {
    const first = seen.get(line.source.toLowerCase());
    if (first === undefined) seen.set(line.source.toLowerCase(), line);
    else {
      const where = mistakes.lineOf(first.sourceOffset);
      mistakes.add(line.sourceOffset, `"${line.source}" is the same field as "${first.source}" on line ${where}`);
    }
  }
  return lines;
}

function lineOf({ key: source, value: target, keyOffset, valueOffset }: Entry, mistakes: Mistakes): Line | null {
  const wrongSource = sourceMistake(source);
  if (wrongSource !== null) mistakes.add(keyOffset, wrongSource.message, wrongSource.suggestion);
  if (typeof target !== 'string') {
    mistakes.add(valueOffset, `the target of "${source}" must be one text: email, userId or dataFields.<path>`);
    return null;
  }
  const wrongTarget = targetMistake(target);
  if (wrongTarget !== null) mistakes.add(valueOffset, wrongTarget.message, wrongTarget.suggestion);
  if (wrongSource !== null || wrongTarget !== null) return null;
  return { source, target, sourceOffset: keyOffset, targetOffset: valueOffset };
}
