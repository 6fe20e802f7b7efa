/**
 * The mapping language: read, check, compile, apply. Pure: files, the org and the log are other libs' business. Hides how
 * a row of Salesforce becomes the body that Iterable wants. Does not know batches, offsets or outcomes.
 */
export {
  inFileOrder,
  type CheckedField,
  type CheckedMapping,
  type CheckedShape,
  type MappingFinding,
  type MappingFindings,
} from './check-finding.js';
export * from './check-mappings.js';
export { FREE_OBJECTS, type SetRules } from './check-set.js';
export { namesSubscriptions, type ProjectSubscriptions } from './check-subscriptions.js';
export { nameEntityFields } from './check-sources.js';
export * from './compile-mapping.js';
export * from './difference.js';
export * from './email.js';
export * from './expression.js';
export * from './expression-reads.js';
export { fileFormat, mappingSchema, topKeys, type JsonSchema, type TopKey } from './file-format.js';
export * from './followed-objects.js';
export * from './foreign-targets.js';
export * from './hidden-sources.js';
export * from './mapped-record.js';
export * from './mapping.js';
export * from './mapping-places.js';
export * from './mapping-sources.js';
export * from './mapping-version.js';
export * from './parse-mapping.js';
export * from './parse-mapping-files.js';
export * from './precedence.js';
export * from './profile-schema.js';
export type { SourceRecord } from './record-readers.js';
export * from './record-version.js';
export * from './resolve-mapping.js';
export * from './resolve-sources.js';
export * from './row-fate.js';
export { MAX_TEXT_LENGTH } from './shorten-texts.js';
export type { TargetType } from './target-types.js';
export { suggest } from './suggest.js';
export * from './to-identity.js';
