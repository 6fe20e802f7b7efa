import { differenceOf } from '@libs/mapping';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergeFields } from '../../apps/sandbox/src/iterable/project/merge-fields.js';

it('a difference foretells a write: what is told is what changes, and after it nothing is left to tell', () => {
  const name = fc.constantFrom('A', 'B', 'C');
  const value = fc.constantFrom(null, 1, 2, 'x', true);
  const deep = fc.dictionary(name, fc.oneof(value, fc.dictionary(name, fc.oneof(value, fc.dictionary(name, value)))));
  fc.assert(
    fc.property(deep, deep, fc.boolean(), (held, body, replaceNested) => {
      const profile = mergeFields({}, held, 'replace');
      const after = mergeFields(profile, body, replaceNested ? 'replace' : 'one-level');
      const told = differenceOf(profile, body, { replaceNested });
      expect(told.length === 0).toBe(leaves(profile) === leaves(after));
      for (const { path, before, after: now } of told) {
        expect([at(profile, path), at(after, path)]).toEqual([before, now]);
      }
      expect(differenceOf(after, body, { replaceNested })).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

/** The leaf at a path; `undefined` where there is an object or nothing. */
function at(fields: Record<string, unknown>, path: string): unknown {
  const names = path.split('.').slice(1);
  const found = names.reduce<unknown>((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], fields);
  return typeof found === 'object' ? undefined : found;
}

/** All leaves as text, in the order of their paths. */
function leaves(fields: Record<string, unknown>, above = ''): string {
  return Object.keys(fields)
    .toSorted()
    .map((key) => {
      const value = fields[key];
      return typeof value === 'object' && value !== null
        ? leaves(value as Record<string, unknown>, `${above}${key}.`)
        : `${above}${key}=${JSON.stringify(value)};`;
    })
    .join('');
}
