import type { FieldType, ProjectType, ProfileSchema } from '@libs/contracts';
import type { ProfileKey } from '@libs/iterable';
import type { KnownTypes } from './field-plan.js';

/** Fields of Iterable's own that take special values, and are there from the beginning. Source: facts/iterable.md §4. */
const SPECIAL: ReadonlySet<string> = new Set([
  'email',
  'userId',
  'phoneNumber',
  'locale',
  'timeZone',
  'ip',
  'signupDate',
]);

/** A value of each type that cannot be taken for another. */
const SAMPLES: Readonly<Record<Exclude<FieldType, 'object'>, unknown>> = {
  string: 'text',
  long: 1,
  double: 0.5,
  boolean: true,
  date: '2000-01-01 00:00:00 +00:00',
};

/** Iterable never mails addresses of this domain. Source: facts/iterable.md §3, placeholders. */
const SEED_EMAIL = 'salesforce-iterable-sync.field-types@placeholder.email';
const SEED_USER_ID = 'salesforce-iterable-sync.field-types';

/** The profile that gives new fields their types: nobody's. */
export function seedProfile(projectType: ProjectType): ProfileKey {
  return projectType === 'email' ? { email: SEED_EMAIL } : { userId: SEED_USER_ID };
}

/** Fields of a schema whose type is meant and that the project does not have. In the order of the schema. */
export function missingFields(schema: ProfileSchema, known: KnownTypes): string[] {
  return Object.entries(schema.fields)
    .filter(([path, { type }]) => type !== 'object' && !SPECIAL.has(path) && !known.has(path) && fits(path, known))
    .map(([path]) => path);
}

/** Below a field that is no object there can be none. */
function fits(path: string, known: KnownTypes): boolean {
  const parts = path.split('.');
  return parts.slice(1).every((_, index) => {
    const above = known.get(parts.slice(0, index + 1).join('.'));
    return above === undefined || above === 'object';
  });
}

/** A profile with a value of the meant type in each of these fields. */
export function seedFields(schema: ProfileSchema, paths: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const path of paths) {
    const type = schema.fields[path]?.type;
    if (type === undefined || type === 'object') continue;
    const parts = path.split('.');
    let parent = fields;
    for (const part of parts.slice(0, -1)) parent = (parent[part] ??= {}) as Record<string, unknown>;
    parent[parts.at(-1) ?? ''] = SAMPLES[type];
  }
  return fields;
}

/** Fields that the project has with another type than the mapping means. */
export function differentFields(schema: ProfileSchema, known: KnownTypes): string[] {
  return Object.entries(schema.fields)
    .filter(([path, { type }]) => (known.get(path) ?? type) !== type)
    .map(([path]) => path);
}
