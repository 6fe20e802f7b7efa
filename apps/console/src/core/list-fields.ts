import { expressionReads, nameEntityFields, type CheckedField, type CheckedShape, type Mapping } from '@libs/mapping';
import type { FieldsAnswer, MappableField } from './mapping-answers.js';

/** An object of the org as it is shown to someone who chooses fields. */
export interface ListedShape extends CheckedShape {
  readonly label: string;
  readonly fields: ReadonlyArray<CheckedField & { readonly label: string }>;
}

/** A place to list fields of: the object itself, or what a relationship path leads to. */
interface Level {
  readonly prefix: string;
  readonly objects: readonly string[];
}

const TEXT_TYPES: readonly string[] = ['string', 'textarea', 'email', 'phone', 'url', 'encryptedstring'];

/**
 * Lists what a mapping of an object can read: its fields, and those of its parents up to `depth` lookups.
 *
 * `shapes`: what is described so far, the object itself at least. `mapping`: the one in the files, if there is one.
 * Output: the list; or, while shapes are missing, the names of the objects to describe next, for another call with them.
 */
export function listFields(
  object: string,
  depth: number,
  shapes: ReadonlyMap<string, ListedShape>,
  mapping?: Mapping,
): FieldsAnswer | { readonly missing: readonly string[] } {
  const missing = new Set<string>();
  const fields: MappableField[] = [];
  const parents: FieldsAnswer['parents'] = [];
  const targets = targetsBySource(mapping);
  let levels: readonly Level[] = [{ prefix: '', objects: [object] }];
  for (let up = 0; up <= depth; up += 1) {
    const above: Level[] = [];
    for (const { prefix, objects } of levels) {
      const found = objects.flatMap((name) => {
        const shape = shapes.get(name);
        if (shape === undefined) missing.add(name);
        return shape?.fields ?? [];
      });
      const distinct = [...new Map(found.map((field) => [field.name, field])).values()];
      // Of a lookup that may lead to several objects, SOQL shows what all persons and queues share, and leads no further.
      const shown = objects.length === 1 ? distinct : distinct.filter(({ name }) => nameEntityFields.includes(name));
      for (const field of shown) {
        const path = `${prefix}${field.name}`;
        fields.push(toMappable(path, field, targets.get(path) ?? []));
        if (field.relationshipName === null || objects.length > 1 || field.referenceTo.length === 0) continue;
        const level = { prefix: `${prefix}${field.relationshipName}.`, objects: field.referenceTo };
        above.push(level);
        parents.push({ path: level.prefix.slice(0, -1), objects: [...level.objects] });
      }
    }
    levels = above;
  }
  if (missing.size > 0) return { missing: [...missing] };
  return { object, label: shapes.get(object)?.label ?? object, file: mapping?.file ?? null, fields, parents };
}

function toMappable(path: string, field: ListedShape['fields'][number], mappedTo: readonly string[]): MappableField {
  const { label, type, length, calculated, calculatedFormula, picklistValues } = field;
  const active = picklistValues.filter((one) => one.active).map(({ value }) => value);
  return {
    path,
    label,
    type,
    length: TEXT_TYPES.includes(type) ? length : null,
    values: active.length === 0 ? null : active,
    calculated: calculated ? (calculatedFormula === null ? 'roll-up' : 'formula') : null,
    mappedTo: [...mappedTo],
  };
}

/** The targets that show each source, by lines and by transforms. */
function targetsBySource(mapping: Mapping | undefined): ReadonlyMap<string, readonly string[]> {
  const pairs = [
    ...(mapping?.fields ?? []).map(({ source, target }) => [source, target] as const),
    ...[...(mapping?.transform ?? [])].flatMap(([target, text]) =>
      [...new Set(expressionReads(text).reads.map(({ path }) => path))].map((path) => [path, target] as const),
    ),
  ];
  const bySource = Map.groupBy(pairs, ([source]) => source);
  return new Map([...bySource].map(([source, found]) => [source, found.map(([, target]) => target)]));
}
