import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileMapping } from './compile-mapping.js';
import type { MappedUser } from './mapped-record.js';
import type { FieldMapping, Mapping, NullRule, ValueType } from './mapping.js';
import type { SourceRecord } from './record-readers.js';

const SOURCES = ['A', 'B', 'C', 'Account.A', 'Account.B', 'Account.Owner.A'];
const TARGETS = ['email', 'dataFields.A', 'dataFields.N.A', 'dataFields.N.B', 'dataFields.N.M.A', 'dataFields.Z'];

const value = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('x;y', '5', 'true', '2022-11-09', '2022-11-09T01:46:18.000+0000'),
);
const leaves = { A: value, B: value, C: value };
const owner = fc.option(fc.record(leaves, { requiredKeys: [] }));
const account = fc.option(fc.record({ A: value, B: value, Owner: owner }, { requiredKeys: [] }));
const rows: fc.Arbitrary<SourceRecord> = fc.record({ ...leaves, Account: account }, { requiredKeys: [] });

const lines: fc.Arbitrary<FieldMapping[]> = fc
  .tuple(fc.shuffledSubarray(SOURCES, { minLength: 1 }), fc.shuffledSubarray(TARGETS, { minLength: 6 }))
  .map(([sources, targets]) => sources.map((source, index) => ({ source, target: targets[index] as string })));
const byTarget = <Rule>(rule: fc.Arbitrary<Rule>) =>
  fc.array(fc.tuple(fc.constantFrom(...TARGETS.slice(1)), rule)).map((entries) => new Map(entries));

const mappings: fc.Arbitrary<Mapping> = fc.record({
  file: fc.constant('x.yaml'),
  object: fc.constantFrom('Contact', 'Invoice__c'),
  fields: lines,
  types: byTarget(fc.constantFrom<ValueType>('string', 'boolean', 'list')),
  onNull: fc.record({
    default: fc.constantFrom<NullRule>('clear', 'omit'),
    targets: byTarget(fc.constantFrom<NullRule>('clear', 'omit')),
  }),
});

/** What the row has at a path: `undefined` if the path is not there, `null` if it or a lookup on the way is empty. */
function at(row: SourceRecord, path: string): unknown {
  let found: unknown = row;
  for (const name of path.split('.')) {
    if (found === null || found === undefined) return found;
    found = (found as SourceRecord)[name];
  }
  return found;
}

function freeze<T>(object: T): T {
  if (object !== null && typeof object === 'object') Object.values(object).forEach(freeze);
  return Object.freeze(object);
}

describe('a compiled mapping, whatever the mapping and the row', () => {
  it('never modifies its row', () => {
    fc.assert(
      fc.property(mappings, rows, (mapping, row) => {
        const before = structuredClone(row);
        void compileMapping(mapping).apply(freeze(row));
        expect(row).toEqual(before);
      }),
    );
  });

  it('makes the same of a row, and has the same version, in whatever order its lines are', () => {
    const shuffled = mappings.chain((mapping) =>
      fc.tuple(
        fc.constant(mapping),
        fc.shuffledSubarray([...mapping.fields], { minLength: mapping.fields.length }),
        fc.shuffledSubarray([...(mapping.types ?? [])], { minLength: mapping.types?.size ?? 0 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, rows, ([mapping, fields, types], row) => {
        const one = compileMapping(mapping);
        const other = compileMapping({ ...mapping, fields, types: new Map(types) });
        expect(other.version).toBe(one.version);
        const made = one.apply(row) as MappedUser;
        // Which of several misfits is told may differ
        if (made.kind === 'user') expect(other.apply(row)).toEqual(made);
        else expect(other.apply(row)).toMatchObject({ kind: 'failed' });
      }),
    );
  });

  it('tells absent from empty: an absent source is left out, an empty one is null or, with omit, left out', () => {
    fc.assert(
      fc.property(mappings, rows, ({ types: _types, ...mapping }, row) => {
        const made = compileMapping(mapping).apply(row) as MappedUser;
        for (const { source, target } of mapping.fields) {
          if (!target.startsWith('dataFields.')) continue;
          const given = at(row, source);
          const rule = mapping.onNull?.targets.get(target) ?? mapping.onNull?.default;
          const written = at(made as unknown as SourceRecord, target);
          if (given === undefined) expect(written).toBeUndefined();
          else if (given === null || given === '') expect(written).toBe(rule === 'omit' ? undefined : null);
          else expect(written).not.toBeNull();
        }
      }),
    );
  });
});
