/**
 * The mapping language: read, check, compile, apply. Pure: files, the org and the log are other libs' business. Hides how
 * a row of Salesforce becomes the body that Iterable wants. Does not know batches, offsets or outcomes.
 */
export * from './compile-mapping.js';
export * from './email.js';
export * from './mapping.js';
export * from './parse-mapping.js';
export * from './parse-mapping-files.js';
export * from './record-version.js';
export * from './resolve-sources.js';
export * from './to-identity.js';
