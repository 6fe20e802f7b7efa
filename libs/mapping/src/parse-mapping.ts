import { KEY_PREFIXES } from '@libs/contracts';
import type { Document, YAMLMap } from 'yaml';
import type { FieldMapping, Mapping, MappingMistake } from './mapping.js';
import { MAX_RELATIONSHIPS, relationshipsOf, sourceMistake, targetMistake } from './paths.js';
import { entriesOf, Mistakes, readTop, type Entry } from './read-entries.js';
import { suggest } from './suggest.js';

/** The keys of a mapping file. */
const TOP_KEYS = ['object', 'fields'] as const;

/** API name of an object. */
const OBJECT = /^[A-Za-z][A-Za-z0-9_]{0,79}$/;

/** One line of the `fields` block that is right by itself. */
interface Line extends FieldMapping {
  readonly sourceOffset: number;
  readonly targetOffset: number;
}

/**
 * Reads and checks one mapping file, by its structure alone; the org is not asked.
 *
 * Input: the file's name (ending in one of `mappingFileExtensions`) and text. A `.json` file may be the incumbent's plain
 * form: source paths to target paths, with the object named by the file (`Lead.json`).
 * Output: the mapping, or every mistake in file order.
 */
export function parseMapping(file: string, text: string): Mapping | MappingMistake[] {
  const mistakes = new Mistakes(file);
  const read = readTop(text, mistakes);
  if (read === null) return mistakes.found;
  const { document, top } = read;
  const entries = entriesOf(top, document, mistakes);
  const blocks = isPlainForm(file, entries)
    ? { object: objectOfFile(file, mistakes), fields: fieldsOf(entries, mistakes) }
    : {
        object: objectOf(entries, mistakes),
        fields: fieldsOfBlock(entries, document, mistakes),
      };
  if (mistakes.found.length > 0) return mistakes.found.toSorted(byPlace);
  return { file, object: blocks.object, fields: blocks.fields };
}

function byPlace(a: MappingMistake, b: MappingMistake): number {
  return a.line - b.line || a.column - b.column;
}

/** A Salesforce field can be named `fields` no more than it can hold a block: so a block of that name is the long form. */
function isPlainForm(file: string, entries: readonly Entry[]): boolean {
  return file.endsWith('.json') && !entries.some((entry) => entry.key === 'fields' && entry.block !== null);
}

function objectOfFile(file: string, mistakes: Mistakes): string {
  const object = (file.split('/').at(-1) as string).replace(/\.json$/, '');
  checkObject(object, 0, mistakes, 'the name of the file');
  return object;
}

/** Is a missing key there after all, misspelt? Then it is told once, where it stands. */
function isMisspelt(name: string, entries: readonly Entry[]): boolean {
  return entries.some(({ key }) => key !== name && suggest(key, TOP_KEYS) === name);
}

function objectOf(entries: readonly Entry[], mistakes: Mistakes): string {
  for (const { key, keyOffset } of entries) {
    if (!TOP_KEYS.some((known) => known === key)) {
      mistakes.add(keyOffset, `unknown key "${key}"; the keys are ${TOP_KEYS.join(' and ')}`, suggest(key, TOP_KEYS));
    }
  }
  const entry = entries.find(({ key }) => key === 'object');
  if (entry === undefined) {
    if (!isMisspelt('object', entries)) {
      mistakes.add(0, 'the key "object" is missing: which Salesforce object is mapped, e.g. object: Contact');
    }
    return '';
  }
  const { value, valueOffset } = entry;
  if (typeof value !== 'string') {
    mistakes.add(valueOffset, '"object" must be the API name of one Salesforce object, e.g. Contact');
    return '';
  }
  checkObject(value, valueOffset, mistakes, `"${value}"`);
  return value;
}

function checkObject(object: string, offset: number, mistakes: Mistakes, what: string): void {
  if (!OBJECT.test(object)) mistakes.add(offset, `${what} is not the API name of a Salesforce object`);
  // Batches name their object in Salesforce's own spelling, so another one would never match. Custom names are free.
  const spelled = Object.values(KEY_PREFIXES).find((known) => known.toLowerCase() === object.toLowerCase());
  if (spelled !== undefined && spelled !== object) mistakes.add(offset, `${what} is spelled wrongly`, spelled);
}

function fieldsOfBlock(entries: readonly Entry[], document: Document, mistakes: Mistakes): FieldMapping[] {
  const entry = entries.find(({ key }) => key === 'fields');
  if (entry === undefined) {
    if (!isMisspelt('fields', entries)) {
      mistakes.add(0, 'the key "fields" is missing: which field goes where, e.g. Email: email');
    }
    return [];
  }
  const block: YAMLMap | null = entry.block;
  if (block === null) {
    mistakes.add(entry.valueOffset, '"fields" must be a block of lines, source path to target path');
    return [];
  }
  if (block.items.length === 0) {
    mistakes.add(entry.keyOffset, '"fields" is empty: map one field at least');
    return [];
  }
  return fieldsOf(entriesOf(block, document, mistakes), mistakes);
}

function fieldsOf(entries: readonly Entry[], mistakes: Mistakes): FieldMapping[] {
  if (entries.length === 0) mistakes.add(0, 'no field is mapped');
  const lines = entries.flatMap((entry) => lineOf(entry, mistakes) ?? []);
  checkSources(lines, mistakes);
  checkTargets(lines, mistakes);
  return lines.map(({ source, target }) => ({ source, target }));
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

/** SOQL does not tell letter case apart, and refuses a field that is selected twice. */
function checkSources(lines: readonly Line[], mistakes: Mistakes): void {
  const seen = new Map<string, Line>();
  for (const line of lines) {
    const first = seen.get(line.source.toLowerCase());
    if (first === undefined) seen.set(line.source.toLowerCase(), line);
    else {
      const where = mistakes.lineOf(first.sourceOffset);
      mistakes.add(line.sourceOffset, `"${line.source}" is the same field as "${first.source}" on line ${where}`);
    }
  }
  const relationships = new Set(lines.flatMap((line) => relationshipsOf(line.source)));
  if (relationships.size > MAX_RELATIONSHIPS) {
    const where = lines[0]?.sourceOffset ?? 0;
    mistakes.add(where, `${relationships.size} relationships are read; SOQL allows ${MAX_RELATIONSHIPS} in one query`);
  }
}

/** A target is written by one source, and is either a value or an object of values. */
function checkTargets(lines: readonly Line[], mistakes: Mistakes): void {
  const byTarget = new Map<string, Line>();
  for (const line of lines) {
    const first = byTarget.get(line.target);
    if (first === undefined) byTarget.set(line.target, line);
    else {
      const where = mistakes.lineOf(first.targetOffset);
      mistakes.add(line.targetOffset, `"${line.target}" is already filled from "${first.source}" on line ${where}`);
    }
  }
  for (const line of lines) {
    const outer = parentsOf(line.target).find((parent) => byTarget.has(parent));
    if (outer === undefined) continue;
    const where = mistakes.lineOf((byTarget.get(outer) as Line).targetOffset);
    mistakes.add(line.targetOffset, `"${line.target}" is inside "${outer}", which line ${where} makes a single value`);
  }
}

function parentsOf(target: string): string[] {
  const segments = target.split('.');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('.'));
}
