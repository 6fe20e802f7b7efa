import type { ProfileSchema } from '@libs/contracts';
import { fitValue } from '@libs/iterable';

/** The project's fields: type by path, nested ones with dots. */
export type KnownTypes = ReadonlyMap<string, string>;

/** What the values of one field become before they leave. */
export interface FieldRule {
  readonly path: readonly string[];
  readonly to: string;
}

/** Types that values can be converted to. */
const SCALARS: ReadonlySet<string> = new Set(['string', 'long', 'double', 'boolean', 'date']);

/**
 * What is to be done to the fields that a schema names. A field that the project has with another type than the mapping means is filled with
 * values of that type, where the mapping does not insist. `learned`: types that refusals have named, also of fields whose meant
 * type is not known.
 */
export function fieldPlan(fields: ProfileSchema['fields'], known: KnownTypes, learned: KnownTypes): FieldRule[] {
  const rules: FieldRule[] = [];
  const rule = (path: string, to: string) => rules.push({ path: path.split('.'), to });
  for (const [path, { type, pinned = false }] of Object.entries(fields)) {
    if (type === 'object') continue;
    const actual = learned.get(path) ?? known.get(path);
    if (actual === undefined || actual === type) {
      if (type === 'double') rule(path, type);
    } else if (!pinned && SCALARS.has(actual)) {
      rule(path, actual);
    }
  }
  for (const [path, type] of learned) if (!(path in fields) && SCALARS.has(type)) rule(path, type);
  return rules;
}

/**
 * A profile as JSON, by the rules. A value that does not fit stays as it is: Iterable is to say so. A double always has places
 * after the point: the first value fixes a field's type, and `1000` would make it a long. `fields` is modified.
 */
export function encodeFields(fields: Record<string, unknown>, plan: readonly FieldRule[]): string {
  for (const rule of plan) follow(rule, fields);
  return JSON.stringify(fields);
}

/** The rules that make something else of a profile. `fields` is modified. */
export function followPlan(fields: Record<string, unknown>, plan: readonly FieldRule[]): FieldRule[] {
  return plan.filter((rule) => follow(rule, fields));
}

/** `true`: there is another value now. */
function follow({ path, to }: FieldRule, fields: Record<string, unknown>): boolean {
  let parent = fields;
  for (const name of path.slice(0, -1)) {
    const next = parent[name];
    if (!isObject(next)) return false;
    parent = next;
  }
  const name = path.at(-1) ?? '';
  const value = parent[name];
  if (value === undefined || value === null) return false;
  const fitted = fitValue(value, to);
  if (!fitted.ok) return false;
  parent[name] = to === 'double' ? withPlaces(fitted.value) : fitted.value;
  return fitted.value !== value;
}

/** Above it a number is written with an exponent, which needs no places. */
const PLAIN_BELOW = 1e21;

function withPlaces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPlaces);
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) >= PLAIN_BELOW) return value;
  return (JSON as unknown as RawJson).rawJSON(`${value}.0`);
}

/** In the language since ES2026; the type definitions do not have it yet. */
interface RawJson {
  rawJSON(text: string): unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
