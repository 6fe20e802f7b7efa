import { expressionReads } from './expression-reads.js';
import type { Mapping } from './mapping.js';
import { relationshipsOf } from './paths.js';

/** The expressions of a mapping: its `when` and its transforms. */
export function expressionsOf({ when, transform }: Pick<Mapping, 'when' | 'transform'>): string[] {
  return [...(when === undefined ? [] : [when]), ...(transform?.values() ?? [])];
}

/** The source paths that expressions read; a relationship that is only asked for is seen in what is read through it. */
export function expressionSources(mapping: Pick<Mapping, 'when' | 'transform' | 'fields'>): string[] {
  const reads = expressionsOf(mapping).flatMap((text) => expressionReads(text).reads);
  const paths = [...mapping.fields.map(({ source }) => source), ...reads.map(({ path }) => path)];
  const relationships = new Set(paths.flatMap(relationshipsOf));
  return [...new Set(reads.map(({ path }) => path))].filter((path) => !relationships.has(path));
}

/**
 * Every source path that a mapping names: fields, expressions, the lookup that it belongs to, and a consent block. Distinct,
 * fields first. What it reads beyond them (system fields, the default consent) depends on what the org shows.
 */
export function mappingSources(mapping: Mapping): string[] {
  const consent = Array.isArray(mapping.consent) ? mapping.consent.map(({ source }) => source) : [];
  const lookup = mapping.belongsTo === undefined ? [] : [mapping.belongsTo];
  return [
    ...new Set([...mapping.fields.map(({ source }) => source), ...expressionSources(mapping), ...lookup, ...consent]),
  ];
}
