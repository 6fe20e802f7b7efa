import { isObject, type Json } from './project/json.js';

const COMPLAINTS = {
  string: 'String value expected',
  number: 'Numeric value expected',
  boolean: 'Boolean value expected',
  object: 'Object value expected',
} as const;

/** The JSON type that a member of a request must have. */
export type Shape = keyof typeof COMPLAINTS | { readonly each: keyof typeof COMPLAINTS | Members };

/** Members of an object by name; one that ends in `!` must be there. Unknown members are let through, as the API does. */
export type Members = Readonly<Record<string, Shape>>;

function matches(value: Json, shape: keyof typeof COMPLAINTS): boolean {
  return shape === 'object' ? isObject(value) : typeof value === shape;
}

/**
 * Complaints about the types in a request, by JSON path (`obj.users[1].preferUserId`), none when it is well formed.
 * An optional member may be null: it counts as left out.
 */
export function complaints(value: Json, members: Members, path = 'obj'): Record<string, string> {
  const found: Record<string, string> = {};
  check(value, members, path, found);
  return found;
}

function check(value: Json, members: Members, path: string, found: Record<string, string>): void {
  if (!isObject(value)) {
    found[path] = COMPLAINTS.object;
    return;
  }
  for (const [member, shape] of Object.entries(members)) {
    const required = member.endsWith('!');
    const name = required ? member.slice(0, -1) : member;
    const inner = value[name];
    if (inner === undefined || inner === null) {
      if (required) found[`${path}.${name}`] = 'Value is required';
    } else checkShape(inner, shape, `${path}.${name}`, found);
  }
}

function checkShape(value: Json, shape: Shape, path: string, found: Record<string, string>): void {
  if (typeof shape === 'string') {
    if (!matches(value, shape)) found[path] = COMPLAINTS[shape];
    return;
  }
  if (!Array.isArray(value)) {
    found[path] = 'Array value expected';
    return;
  }
  for (const [index, element] of value.entries()) {
    if (typeof shape.each === 'string') checkShape(element, shape.each, `${path}[${index}]`, found);
    else check(element, shape.each, `${path}[${index}]`, found);
  }
}
