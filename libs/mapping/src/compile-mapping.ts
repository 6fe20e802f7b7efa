import { toRecordId } from '@libs/contracts';
import { compileBody } from './compile-body.js';
import { compileConsent, consentRules } from './compile-consent.js';
import type { MappedRecord } from './mapped-record.js';
import { mappingVersion } from './mapping-version.js';
import type { Mapping } from './mapping.js';
import { mappingSources } from './mapping-sources.js';
import { relationshipsOf } from './paths.js';
import { profileSchemaOf, type IdentifiedSchema } from './profile-schema.js';
import { reader, toEpochMs, type SourceRecord } from './record-readers.js';
import type { ResolvedSources } from './resolve-sources.js';
import { assumedSystemFields, ownSystemFields } from './system-fields.js';
import { targetTypes, type TargetType } from './target-types.js';

/** A mapping as code: what to select, and what to make of a row. */
export interface CompiledMapping {
  readonly object: string;
  /** Fields to select: those that the mapping reads, Id, and what is needed to tell version, precedence and fate. Each once. */
  readonly select: readonly string[];
  /** The relationship paths that are read, e.g. `Account`, `Account.Owner`. */
  readonly parents: readonly string[];
  /** Source path of the lookup to the Lead or Contact on whose profile the rows are written; `null`: they are users themselves. */
  readonly belongsTo: string | null;
  /** Source paths of the fields that can say no; empty: nobody is unsubscribed by this mapping. */
  readonly consentSources: readonly string[];
  /** What says in a profile that its record is deleted; `null`: the mapping maps no `IsDeleted`. */
  readonly flagFields: Readonly<Record<string, unknown>> | null;
  /** Are nested objects replaced whole, instead of merged? */
  readonly replaceNested: boolean;
  /** The type of each target in Iterable, as far as it is known, and of the objects on the way to it. */
  readonly targetTypes: ReadonlyMap<string, TargetType>;
  /** What the writer is told of the types. */
  readonly schema: IdentifiedSchema;
  /** Names what the mapping does; the order of its lines and its comments do not count. */
  readonly version: string;
  /** A promise only where the mapping has expressions. */
  apply(record: SourceRecord): MappedRecord | Promise<MappedRecord>;
  /** The SystemModstamps of a row, as given: its own first, then those of its parents. */
  modstamps(record: SourceRecord): readonly unknown[];
  /** When the record was created. Epoch milliseconds; `null` when the row does not say. */
  createdMs(record: SourceRecord): number | null;
  /** 18-character id of the Contact that a converted Lead became; `null` when it is none. */
  convertedTo(record: SourceRecord): string | null;
  /** 18-character id of the record that a deleted one was merged into; `null` when it was not. */
  mergedInto(record: SourceRecord): string | null;
  /** 18-character id of what the lookup of `belongsTo` points to; `null` when it is empty or the mapping has none. */
  belongsToId(record: SourceRecord): string | null;
}

/**
 * What is known beside the mapping: describe types decide how values are converted, system fields are selected where they
 * exist. `clear`: targets that every body sets to `null`, see `foreignTargets`.
 */
export type CompileOptions = Partial<Pick<ResolvedSources, 'fieldTypes' | 'systemFields'>> & {
  readonly clear?: readonly string[];
};

/**
 * Turns a mapping into precomputed paths and closures, once, so that a row costs no look-up of names.
 *
 * A path of the row that is not there at all leaves its target out: absent is not cleared (facts/salesforce.md §8, 12).
 * Input of `apply` is never modified.
 */
export function compileMapping(mapping: Mapping, options: CompileOptions = {}): CompiledMapping {
  const { object, belongsTo = null } = mapping;
  const fieldTypes = options.fieldTypes ?? new Map<string, string>();
  const sources = mappingSources(mapping);
  const parents = [...new Set(sources.flatMap(relationshipsOf))].toSorted();
  const system = options.systemFields ?? assumedSystemFields(object, parents);
  const parentStamps = parents.map((parent) => `${parent}.SystemModstamp`).filter((path) => system.has(path));
  const modstamps = ['SystemModstamp', ...parentStamps];
  const readModstamps = modstamps.map(reader);
  const readOwner = belongsTo === null ? () => null : reader(belongsTo);
  const consentSources = consentRules(mapping, system).map(({ source }) => source);
  const own = ownSystemFields.filter((name) => system.has(name));
  const { apply, flagFields } = compileBody(mapping, {
    fieldTypes,
    clear: options.clear ?? [],
    optOutOf: compileConsent(consentRules(mapping, system)),
  });
  const types = targetTypes(mapping, fieldTypes);
  return {
    object,
    select: [...new Set(['Id', ...own, ...modstamps, ...sources, ...consentSources])],
    parents,
    belongsTo,
    consentSources,
    flagFields,
    replaceNested: mapping.merge === 'replace',
    targetTypes: types,
    schema: profileSchemaOf(mapping, types),
    version: mappingVersion(mapping),
    apply,
    modstamps: (record) => readModstamps.map((read) => read(record)),
    createdMs: (record) => toEpochMs(record['CreatedDate']),
    convertedTo: (record) => (record['IsConverted'] === true ? toId(record['ConvertedContactId']) : null),
    mergedInto: (record) => toId(record['MasterRecordId']),
    belongsToId: (record) => toId(readOwner(record)),
  };
}

function toId(value: unknown): string | null {
  return typeof value === 'string' ? toRecordId(value) : null;
}
