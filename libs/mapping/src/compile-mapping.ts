import type { OptOut } from '@libs/contracts';
import { contentHash } from './content-hash.js';
import { converterFor, type Convert } from './convert-value.js';
import { normalizeEmail } from './email.js';
import type { Mapping } from './mapping.js';
import { relationshipsOf } from './paths.js';
import type { ResolvedSources } from './resolve-sources.js';

/** A row as SOQL over REST gives it: parents as nested objects, `null` where a lookup is empty. */
export type SourceRecord = { readonly [field: string]: unknown };

/** What a mapping makes of a row, before the type of the project decides where the identity goes. */
export interface MappedUser {
  readonly kind: 'user';
  /** The mapped email, normalised; `null` when it is blank, absent when the mapping has none. */
  readonly email?: string | null;
  /** The mapped user id; absent when there is none. */
  readonly userId?: string;
  /** Nested as the targets say. `null` where Salesforce has no value: Iterable clears the field then. */
  readonly dataFields: Readonly<Record<string, unknown>>;
  /** What the person said no to; absent: nothing, or the mapping does not say. */
  readonly optOut?: OptOut;
}

/** What a mapping makes of a row: a user, nothing (its `when` does not hold), or a failure that is about this row. */
export type MappedRecord =
  | MappedUser
  | { readonly kind: 'filtered' }
  /** `message` is for a person and holds no value of the row. */
  | { readonly kind: 'failed'; readonly code: MappingFailure; readonly message: string };

export type MappingFailure = 'mapping.expression_failed';

/** A mapping as code: what to select, and what to make of a row. */
export interface CompiledMapping {
  readonly object: string;
  /** Fields to select: the mapped ones, Id, and what is needed to tell version and deletion. Each once. */
  readonly select: readonly string[];
  /** The relationship paths that are read, e.g. `Account`, `Account.Owner`. */
  readonly parents: readonly string[];
  /** Source path of the lookup to the Lead or Contact on whose profile the rows are written; `null`: they are users themselves. */
  readonly belongsTo: string | null;
  /** What says in a profile that its record is deleted; `null`: the mapping maps no `IsDeleted`. */
  readonly flagFields: Readonly<Record<string, unknown>> | null;
  /** Are nested objects replaced whole, instead of merged? */
  readonly replaceNested: boolean;
  /** Names what the mapping does; the order of its lines and its comments do not count. */
  readonly version: string;
  /** A promise only where the mapping has expressions. */
  apply(record: SourceRecord): MappedRecord | Promise<MappedRecord>;
  /** The SystemModstamps of a row, as given: its own first, then those of its parents. */
  modstamps(record: SourceRecord): readonly unknown[];
}

/** What describe adds: types decide how values are converted, and system fields are selected where they exist. */
export type CompileOptions = Partial<Pick<ResolvedSources, 'fieldTypes' | 'systemFields'>>;

type Read = (record: SourceRecord) => unknown;

/**
 * Turns a mapping into precomputed paths and closures, once, so that a row costs no look-up of names.
 *
 * A path of the row that is not there at all leaves its target out: absent is not cleared (facts/salesforce.md §8, 12).
 */
export function compileMapping(mapping: Mapping, options: CompileOptions = {}): CompiledMapping {
  const parents = [...new Set(mapping.fields.flatMap((field) => relationshipsOf(field.source)))].toSorted();
  const system = options.systemFields ?? assumedSystemFields(mapping.object, parents);
  const parentStamps = parents.map((parent) => `${parent}.SystemModstamp`).filter((path) => system.has(path));
  const modstamps = ['SystemModstamp', ...parentStamps];
  const readModstamps = modstamps.map(reader);
  const deleted = system.has('IsDeleted') ? ['IsDeleted'] : [];
  const sources = mapping.fields.map((field) => field.source);
  const leaves = mapping.fields.map(({ source, target }) => ({
    target: target.split('.'),
    read: converted(reader(source), converterFor(options.fieldTypes?.get(source))),
  }));
  const leafOf = (name: string): Read => leaves.find(({ target }) => target[0] === name)?.read ?? (() => undefined);
  const readEmail = leafOf('email');
  const readUserId = leafOf('userId');
  const readDataFields = branch(
    leaves
      .filter(({ target }) => target[0] === 'dataFields')
      .map((leaf) => ({ ...leaf, target: leaf.target.slice(1) })),
  );
  return {
    object: mapping.object,
    select: [...new Set(['Id', ...deleted, ...modstamps, ...sources])],
    parents,
    belongsTo: null,
    flagFields: null,
    replaceNested: false,
    version: contentHash(JSON.stringify([mapping.object, mapping.fields.map(toLine).toSorted()])),
    apply(record) {
      const email = readEmail(record);
      return {
        kind: 'user',
        email: email === undefined ? undefined : toEmail(email),
        userId: text(readUserId(record)),
        dataFields: (readDataFields(record) ?? {}) as Record<string, unknown>,
      };
    },
    modstamps: (record) => readModstamps.map((read) => read(record)),
  };
}

function toEmail(value: unknown): string | null {
  const email = normalizeEmail(text(value) ?? '');
  return email === '' ? null : email;
}

function toLine({ source, target }: { readonly source: string; readonly target: string }): string {
  return `${source}:${target}`;
}

/** An identity is a text: a number or boolean of Salesforce is written out, anything else is none. */
function text(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Without describe: every object has the system fields, but a User is never deleted, and an owner may be a queue. */
function assumedSystemFields(object: string, parents: readonly string[]): ReadonlySet<string> {
  const ownedByUsers = ['Account', 'Contact', 'Opportunity'].includes(object);
  const stamped = parents.filter((parent) => parent !== 'Owner' || ownedByUsers);
  return new Set([
    ...(object === 'User' ? [] : ['IsDeleted']),
    'SystemModstamp',
    ...stamped.map((parent) => `${parent}.SystemModstamp`),
  ]);
}

/** Reads a path. `null` where a parent on the way is empty, `undefined` where the row does not have it. */
function reader(path: string): Read {
  const segments = path.split('.');
  const [first, second] = segments as [string, string | undefined];
  if (second === undefined) return (record) => record[first];
  if (segments.length === 2) return (record) => step(record[first], second);
  return (record) => segments.reduce<unknown>(step, record);
}

function step(parent: unknown, name: string): unknown {
  return parent === null || parent === undefined ? parent : (parent as SourceRecord)[name];
}

function converted(read: Read, convert: Convert): Read {
  return (record) => convert(read(record));
}

/** Builds one object of the body, with the objects inside it; `undefined` when the row has nothing for it. */
function branch(leaves: ReadonlyArray<{ readonly target: readonly string[]; readonly read: Read }>): Read {
  const byName = Map.groupBy(leaves, ({ target }) => target[0] as string);
  const makers = [...byName].map(([name, inside]) => {
    const [leaf] = inside;
    const deeper = inside.map(({ target, read }) => ({ target: target.slice(1), read }));
    return [name, leaf?.target.length === 1 ? leaf.read : branch(deeper)] as const;
  });
  return (record) => {
    const made: Record<string, unknown> = {};
    let filled = false;
    for (const [name, make] of makers) {
      const value = make(record);
      if (value === undefined) continue;
      made[name] = value;
      filled = true;
    }
    return filled ? made : undefined;
  };
}
