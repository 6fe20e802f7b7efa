import { defaultConsent, type Mapping } from './mapping.js';
import { mappingSources } from './mapping-sources.js';
import { relationshipsOf } from './paths.js';
import { suggest } from './suggest.js';
import { ownSystemFields } from './system-fields.js';

/** What is needed of an object's describe. */
export interface ObjectShape {
  readonly name: string;
  readonly fields: ReadonlyArray<{
    readonly name: string;
    readonly type: string;
    readonly relationshipName: string | null;
    readonly referenceTo: readonly string[];
  }>;
}

/** What the org says of the fields that a mapping reads. */
export interface ResolvedSources {
  /** Describe type of each source path that the org shows. */
  readonly fieldTypes: ReadonlyMap<string, string>;
  /** Paths of system fields that can be selected: `SystemModstamp`, `CreatedDate`, `Account.SystemModstamp`, … */
  readonly systemFields: ReadonlySet<string>;
  /** The objects behind each relationship path; several for a lookup that may point at any of them. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
  /** Source paths that the org does not show: they do not exist, or field-level security hides them. */
  readonly unknown: ReadonlyArray<{ readonly source: string; readonly suggestion?: string }>;
}

/** What is read of the record itself where it is there; of parents the stamp only. */
const OWN_FIELDS: readonly string[] = [...ownSystemFields, defaultConsent.source];
const PARENT_FIELDS: readonly string[] = ['SystemModstamp'];

/**
 * Looks the source paths of a mapping up in what describe said.
 *
 * Output: the answer; or, while shapes are missing, the names of the objects to describe next, for another call with them.
 * A lookup that may point at several objects (the owner of a Lead: a User or a queue) shows in SOQL only the fields of the
 * entity Name, and no SystemModstamp among them. Source: Salesforce object reference, Name.
 */
export function resolveSources(
  mapping: Mapping,
  shapes: ReadonlyMap<string, ObjectShape>,
): ResolvedSources | { readonly missing: readonly string[] } {
  const missing = new Set<string>();
  const shapesOf = (objects: readonly string[]) =>
    objects.flatMap((object) => {
      const shape = shapes.get(object);
      if (shape === undefined) missing.add(object);
      return shape ?? [];
    });
  const parents = new Map<string, readonly string[]>();
  const objectsAt = (path: string): readonly string[] => (path === '' ? [mapping.object] : (parents.get(path) ?? []));

  const sources = mappingSources(mapping);
  const paths = [...new Set(sources.flatMap(relationshipsOf))];
  for (const path of paths.toSorted((a, b) => a.length - b.length)) {
    const [from, relationship] = split(path);
    const lookups = shapesOf(objectsAt(from)).flatMap((shape) => shape.fields);
    parents.set(path, lookups.find((lookup) => lookup.relationshipName === relationship)?.referenceTo ?? []);
  }

  /** The source with its first relationship that is none mended. */
  const meantRelationship = (source: string): { suggestion?: string } => {
    const wrong = relationshipsOf(source).find((path) => parents.get(path)?.length === 0);
    if (wrong === undefined) return {};
    const [from, relationship] = split(wrong);
    const lookups = shapesOf(objectsAt(from)).flatMap(({ fields }) => fields);
    const names = lookups.flatMap(({ relationshipName }) =>
      relationshipName === null ? [] : [{ name: relationshipName }],
    );
    const near = meant(from, relationship, names);
    return near === undefined ? {} : { suggestion: near.suggestion + source.slice(wrong.length) };
  };

  const fieldTypes = new Map<string, string>();
  const unknown: Array<{ source: string; suggestion?: string }> = [];
  for (const source of sources) {
    const [from, name] = split(source);
    const fields = shapesOf(objectsAt(from)).flatMap((shape) => shape.fields);
    const field = fields.find((candidate) => candidate.name === name);
    if (field !== undefined) fieldTypes.set(source, field.type);
    else unknown.push({ source, ...(meant(from, name, fields) ?? meantRelationship(source)) });
  }

  const systemFields = new Set<string>();
  for (const path of ['', ...parents.keys()]) {
    const found = shapesOf(objectsAt(path));
    const [shape] = found;
    if (shape === undefined || found.length > 1) continue;
    for (const name of path === '' ? OWN_FIELDS : PARENT_FIELDS) {
      if (shape.fields.some((field) => field.name === name)) systemFields.add(join(path, name));
    }
  }
  return missing.size > 0 ? { missing: [...missing] } : { fieldTypes, systemFields, parents, unknown };
}

function split(path: string): [from: string, name: string] {
  const dot = path.lastIndexOf('.');
  return dot < 0 ? ['', path] : [path.slice(0, dot), path.slice(dot + 1)];
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function meant(
  from: string,
  name: string,
  fields: ReadonlyArray<{ readonly name: string }>,
): { suggestion: string } | undefined {
  const names = fields.map((field) => field.name);
  // People forget what custom names end in.
  const near = names.find((one) => /__[cr]$/.test(one) && one.slice(0, -3) === name) ?? suggest(name, names);
  return near === undefined ? undefined : { suggestion: join(from, near) };
}
