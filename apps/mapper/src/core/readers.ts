import type { ObjectShape } from '@libs/mapping';

/** Records of `object` show records of another one: `lookup` is the path from them to its id, e.g. `Account.OwnerId`. */
export interface Reader {
  readonly object: string;
  readonly lookup: string;
}

/** Who shows the records of an object, by that object. */
export type Readers = ReadonlyMap<string, readonly Reader[]>;

/** What a mapping reads beyond its own object. */
export interface Reading {
  readonly object: string;
  /** Relationship paths, e.g. `Account`, `Account.Owner`. */
  readonly parents: readonly string[];
  /** Path of the lookup to the person that the rows belong to, e.g. `Contact__c`; `null`: they are persons themselves. */
  readonly belongsTo: string | null;
}

/** A relationship or lookup that the org does not show, from the object that is mapped. */
export interface HiddenLookup {
  readonly object: string;
  readonly path: string;
}

/**
 * Turns what mappings read round: who shows the records of each object, and by which lookup they are found. The lookup of
 * a relationship is what describe says (the field with that relationshipName), never a guess by its name.
 *
 * Output: the answer; or, while objects are not described, the names of those to describe next, for another call with them.
 * An object described without any field is one that the org does not have, and shows nothing.
 */
export function readersOf(
  readings: readonly Reading[],
  shapes: ReadonlyMap<string, ObjectShape>,
): { readonly readers: Readers; readonly hidden: readonly HiddenLookup[] } | { readonly missing: readonly string[] } {
  const missing = new Set<string>();
  const hidden: HiddenLookup[] = [];
  const found = new Map<string, Map<string, Reader>>();

  const walk = ({ object, path, endsInField }: Reading & { path: string; endsInField: boolean }): void => {
    const steps = path.split('.');
    let objects: readonly string[] = [object];
    for (const [depth, step] of steps.entries()) {
      const described = objects.flatMap((name) => shapes.get(name) ?? (missing.add(name), []));
      const isField = endsInField && depth === steps.length - 1;
      const fields = described.flatMap((shape) => shape.fields);
      const lookup = fields.find((field) => (isField ? field.name : field.relationshipName) === step);
      if (lookup === undefined) {
        if (fields.length > 0) hidden.push({ object, path: steps.slice(0, depth + 1).join('.') });
        return;
      }
      const reader = { object, lookup: [...steps.slice(0, depth), lookup.name].join('.') };
      for (const parent of lookup.referenceTo) {
        const readers = found.get(parent) ?? new Map<string, Reader>();
        found.set(parent, readers.set(`${reader.object}.${reader.lookup}`, reader));
      }
      objects = lookup.referenceTo;
    }
  };

  for (const reading of readings) {
    for (const path of reading.parents) walk({ ...reading, path, endsInField: false });
    if (reading.belongsTo !== null) walk({ ...reading, path: reading.belongsTo, endsInField: true });
  }
  if (missing.size > 0) return { missing: [...missing] };
  return { readers: new Map([...found].map(([parent, readers]) => [parent, [...readers.values()]])), hidden };
}
