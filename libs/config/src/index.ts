/**
 * Environment to typed settings: the only reader of `process.env`; and the text files that settings name. Each app composes one flat schema from the fragments
 * here and its own fields; it is parsed once, before Nest starts. Holds no defaults that differ between apps.
 */
export * from './fragments.js';
export * from './load-settings.js';
export * from './read-text-files.js';
export * from './watch-text-files.js';
