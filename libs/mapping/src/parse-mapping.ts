import { KEY_PREFIXES } from '@libs/contracts';
import { OBJECT_PATTERN, topKeys } from './file-format.js';
import { defaultConsent, mergeRules, nullRules, personObjects, type Mapping, type MappingMistake } from './mapping.js';
import { checkReads, parseExpressionEntry, type NamedSource, type ParsedExpression } from './parse-expressions.js';
import { parseLines, type Line } from './parse-fields.js';
import { parseBelongsTo, parseConsent } from './parse-person.js';
import { checkConstantTypes, parseConstants, parseOnNull, parseTypes, parseValueLists, wordOf } from './parse-rules.js';
import { checkTargets, type Filled } from './parse-targets.js';
import { MAX_RELATIONSHIPS, relationshipsOf, targetMistake } from './paths.js';
import { Block } from './read-block.js';
import { entriesOf, Mistakes, readTop, type Entry } from './read-entries.js';

const OBJECT = new RegExp(OBJECT_PATTERN);

/** An expression with the name by which mistakes call it. */
interface NamedExpression extends ParsedExpression {
  readonly what: string;
}

/**
 * Reads and checks one mapping file, by its structure alone; the org is not asked.
 *
 * Input: the file's name (ending in one of `mappingFileExtensions`) and text. A `.json` file may be the incumbent's plain
 * form: source paths to target paths, with the object named by the file (`Lead.json`).
 * Output: the mapping, or every mistake in file order.
 */
export function parseMapping(file: string, text: string): Mapping | MappingMistake[] {
  const mistakes = new Mistakes(file, text);
  const read = readTop(mistakes);
  if (read === null) return mistakes.found;
  const { document, top } = read;
  const entries = entriesOf(top, document, mistakes);
  const parsed = isPlainForm(file, entries)
    ? parsePlainForm(file, entries, mistakes)
    : parseLongForm(file, new Block(entries, document, mistakes));
  return mistakes.found.length > 0 ? mistakes.found.toSorted(byPlace) : parsed;
}

function byPlace(a: MappingMistake, b: MappingMistake): number {
  return a.line - b.line || a.column - b.column;
}

/** A Salesforce field can be named `fields` no more than it can hold a block: so a block of that name is the long form. */
function isPlainForm(file: string, entries: readonly Entry[]): boolean {
  return file.endsWith('.json') && !entries.some((entry) => entry.key === 'fields' && entry.block !== null);
}

function parsePlainForm(file: string, entries: readonly Entry[], mistakes: Mistakes): Mapping {
  const object = (file.split('/').at(-1) as string).replace(/\.json$/, '');
  checkObject(object, 0, mistakes, 'the name of the file');
  if (entries.length === 0) mistakes.add(0, 'no field is mapped');
  const lines = parseLines(entries, mistakes);
  checkTargets(lines.map(filledBy), mistakes);
  checkRelationships(lines, [], mistakes);
  return { file, object, fields: lines.map(withoutPlace) };
}

function parseLongForm(file: string, top: Block): Mapping {
  const { mistakes } = top;
  top.checkKeys(topKeys);
  const object = objectOf(top);
  const lines = linesOf(top);
  const when = whenOf(top);
  const transforms = transformsOf(top);
  const constantsBlock = top.block('constants', '"constants"');
  const constants = constantsBlock === null ? [] : parseConstants(constantsBlock);
  const filled: Filled[] = [
    ...lines.map(filledBy),
    ...transforms.map(({ target, entry }) => filledAs('transform', target, entry)),
    ...constants.map(({ entry }) => filledAs('constant', entry.key, entry)),
  ];
  checkTargets(filled, mistakes);

  const typeBlock = top.block('type', '"type"');
  const types = typeBlock === null ? new Map<string, never>() : parseTypes(typeBlock, filled);
  checkConstantTypes(constants, types, top);
  const valuesBlock = top.block('values', '"values"');
  const values = valuesBlock === null ? undefined : parseValueLists(valuesBlock, filled, types);
  const merge = top.entry('merge');
  const identity = top.entry('identity');
  const belongsTo = identity === undefined ? null : parseBelongsTo(identity, top, object);
  const { consent, named } = consentOf(top, belongsTo !== null);

  const expressions: NamedExpression[] = [
    ...(when === null ? [] : [when]),
    ...transforms.flatMap(({ expression }) => expression ?? []),
  ];
  const sources: NamedSource[] = [
    ...lines.map(({ source, sourceOffset }) => ({ source, offset: sourceOffset })),
    ...(belongsTo === null ? [] : [belongsTo]),
    ...named,
  ];
  checkReads(expressions, sources, mistakes);
  checkRelationships(lines, expressions, mistakes);
  if (when !== null) checkWhenLeavesConsent(when, consentSources(object, consent), mistakes);
  return {
    file,
    object,
    fields: lines.map(withoutPlace),
    ...present('when', when?.text),
    ...present(
      'transform',
      top.entry('transform') === undefined
        ? undefined
        : new Map(transforms.map(({ target, expression }) => [target, expression?.text ?? ''])),
    ),
    ...present(
      'constants',
      constantsBlock === null ? undefined : new Map(constants.map(({ entry, value }) => [entry.key, value])),
    ),
    ...present('types', typeBlock === null ? undefined : types),
    ...present('values', values),
    ...present('onNull', onNullOf(top, filled)),
    ...present('merge', merge === undefined ? undefined : (wordOf(merge, '"merge"', mergeRules, top) ?? undefined)),
    ...present('belongsTo', belongsTo?.source),
    ...present('consent', consent),
  };
}

/** A key only where there is a value: an absent block is no key of the mapping. */
function present<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [key in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in Key]: Value });
}

function withoutPlace({ source, target }: Line): { readonly source: string; readonly target: string } {
  return { source, target };
}

function filledBy({ source, target, targetOffset }: Line): Filled {
  return { target, offset: targetOffset, by: 'field', how: `from "${source}"` };
}

function filledAs(by: 'transform' | 'constant', target: string, { keyOffset }: Entry): Filled {
  return { target, offset: keyOffset, by, how: `by a ${by}` };
}

function objectOf(top: Block): string {
  const { mistakes } = top;
  const entry = top.entry('object');
  if (entry === undefined) {
    if (!top.isMisspelt('object', topKeys)) {
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

function linesOf(top: Block): Line[] {
  const { mistakes } = top;
  const entry = top.entry('fields');
  if (entry === undefined) {
    if (!top.isMisspelt('fields', topKeys)) {
      mistakes.add(0, 'the key "fields" is missing: which field goes where, e.g. Email: email');
    }
    return [];
  }
  if (entry.block === null) {
    mistakes.add(entry.valueOffset, '"fields" must be a block of lines, source path to target path');
    return [];
  }
  if (entry.block.items.length === 0) {
    mistakes.add(entry.keyOffset, '"fields" is empty: map one field at least');
    return [];
  }
  return parseLines(entriesOf(entry.block, top.document, mistakes), mistakes);
}

function whenOf(top: Block): NamedExpression | null {
  const entry = top.entry('when');
  const parsed = entry === undefined ? null : parseExpressionEntry(entry, '"when"', top.mistakes);
  return parsed === null ? null : { ...parsed, what: '"when"' };
}

interface Transform {
  readonly target: string;
  readonly entry: Entry;
  readonly expression: NamedExpression | null;
}

function transformsOf(top: Block): Transform[] {
  const entries = top.block('transform', '"transform"')?.entries() ?? [];
  return entries.flatMap((entry) => {
    const what = `the transform of "${entry.key}"`;
    const wrong = targetMistake(entry.key);
    if (wrong !== null) top.mistakes.add(entry.keyOffset, wrong.message, wrong.suggestion);
    const parsed = parseExpressionEntry(entry, what, top.mistakes);
    if (wrong !== null) return [];
    return [{ target: entry.key, entry, expression: parsed === null ? null : { ...parsed, what } }];
  });
}

function onNullOf(top: Block, filled: readonly Filled[]): Mapping['onNull'] {
  const entry = top.entry('onNull');
  if (entry === undefined) return undefined;
  const inner = entry.block === null ? null : top.inner(entry, '"onNull"');
  if (inner !== null) return parseOnNull(inner, filled);
  const rule = wordOf(entry, '"onNull"', nullRules, top);
  return { default: rule ?? 'clear', targets: new Map() };
}

function consentOf(top: Block, isNoPerson: boolean): ReturnType<typeof parseConsent> {
  const entry = top.entry('consent');
  if (entry === undefined) return { consent: undefined, named: [] };
  if (isNoPerson) {
    top.mistakes.add(entry.keyOffset, '"consent" is for persons: a record that belongs to another says no for nobody');
    return { consent: undefined, named: [] };
  }
  return parseConsent(entry, top);
}

function consentSources(object: string, consent: Mapping['consent']): readonly string[] {
  if (consent === undefined) return personObjects.includes(object) ? [defaultConsent.source] : [];
  return consent === 'none' ? [] : consent.map(({ source }) => source);
}

/** Who says no must be told to Iterable; a record that `when` leaves out for it never would be. */
function checkWhenLeavesConsent(when: NamedExpression, consent: readonly string[], mistakes: Mistakes): void {
  const read = when.reads.find(({ path }) => consent.includes(path));
  if (read === undefined) return;
  mistakes.add(
    when.entry.valueOffset,
    `"when" reads "${read.path}", with which a person says no: the record would be left out and the person never unsubscribed; take it out, or write consent: none`,
  );
}

function checkRelationships(
  lines: readonly Line[],
  expressions: readonly ParsedExpression[],
  mistakes: Mistakes,
): void {
  const paths = [
    ...lines.map(({ source }) => source),
    ...expressions.flatMap(({ reads }) => reads.map(({ path }) => path)),
  ];
  const relationships = new Set(paths.flatMap(relationshipsOf));
  if (relationships.size <= MAX_RELATIONSHIPS) return;
  const where = lines[0]?.sourceOffset ?? 0;
  mistakes.add(where, `${relationships.size} relationships are read; SOQL allows ${MAX_RELATIONSHIPS} in one query`);
}
