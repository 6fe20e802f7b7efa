import { toRecordId } from '@libs/contracts';

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]{0,79}$/;
/** Child-to-parent steps in one path. Source: facts/salesforce.md §4.2. */
const MAX_PARENTS = 5;
/** A string in a WHERE clause may have this many characters. Source: facts/salesforce.md §4.2. */
const MAX_STRING = 4_000;

/** A piece of SOQL that was asked for with a part that cannot stand in one: a bug, or an unchecked setting. */
export class SoqlPartError extends Error {
  override readonly name = 'SoqlPartError';
}

/** The API name of an object or field, checked. Errors: {@link SoqlPartError}. */
export function identifier(name: string): string {
  if (!IDENTIFIER.test(name)) throw new SoqlPartError(`not an API name: ${JSON.stringify(name.slice(0, 80))}`);
  return name;
}

/** A field, or a path through at most five parents to one (`Account.Owner.Name`), checked. Errors: {@link SoqlPartError}. */
export function fieldPath(path: string): string {
  const parts = path.split('.');
  if (parts.length > MAX_PARENTS + 1)
    throw new SoqlPartError(`more than ${MAX_PARENTS} parents: ${path.slice(0, 200)}`);
  return parts.map(identifier).join('.');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

/** A string literal. Errors: {@link SoqlPartError} for one longer than 4,000 characters. */
export function soqlString(text: string): string {
  if (text.length > MAX_STRING) throw new SoqlPartError(`a string of ${text.length} characters; at most ${MAX_STRING}`);
  return `'${text.replace(/[\\'"\n\r\t\b\f]/g, (char) => ESCAPES[char] ?? char)}'`;
}

/** A datetime literal in UTC, e.g. `2022-11-09T01:46:18Z`. Input: epoch milliseconds or a Date. */
export function soqlDateTime(time: number | Date): string {
  const text = new Date(time).toISOString();
  return text.replace('.000Z', 'Z');
}

/** `field IN ('…','…')` for ids of 18 characters. Errors: {@link SoqlPartError} for what is no id, and for none at all. */
export function idListCondition(ids: readonly string[], field = 'Id'): string {
  if (ids.length === 0) throw new SoqlPartError('an empty list of ids');
  for (const id of ids) {
    if (id.length !== 18 || toRecordId(id) !== id)
      throw new SoqlPartError('not an 18-character record id in a list of ids');
  }
  return `${fieldPath(field)} IN (${ids.map((id) => `'${id}'`).join(',')})`;
}

/** Conditions that must all hold, each in parentheses; empty when there is none. */
export function allOf(conditions: readonly string[]): string {
  const given = conditions.filter((condition) => condition !== '');
  if (given.length <= 1) return given[0] ?? '';
  return given.map((condition) => `(${condition})`).join(' AND ');
}

export interface Select {
  readonly object: string;
  /** Fields and paths; repetitions are dropped (Salesforce refuses them), the first spelling stays. Never empty. */
  readonly fields: readonly string[];
  /** A condition made of checked parts, or by `parseCondition`. */
  readonly where?: string;
  readonly orderBy?: readonly string[];
  /** The last first. */
  readonly descending?: boolean;
  readonly limit?: number;
}

/** One SELECT. Names are checked, conditions are taken as they are. Errors: {@link SoqlPartError}. */
export function select({ object, fields, where = '', orderBy = [], descending = false, limit }: Select): string {
  const seen = new Map(fields.map((field) => [field.toLowerCase(), field] as const).toReversed());
  const distinct = fields.filter((field) => seen.get(field.toLowerCase()) === field);
  const columns = [...new Set(distinct)].map(fieldPath);
  if (columns.length === 0) throw new SoqlPartError('no field to select');
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new SoqlPartError('limit is no whole number');
  return [
    `SELECT ${columns.join(',')} FROM ${identifier(object)}`,
    where === '' ? '' : ` WHERE ${where}`,
    orderBy.length === 0
      ? ''
      : ` ORDER BY ${orderBy.map((path) => fieldPath(path) + (descending ? ' DESC' : '')).join(',')}`,
    limit === undefined ? '' : ` LIMIT ${limit}`,
  ].join('');
}

/** The rows of given ids. `where` narrows them. Errors: {@link SoqlPartError}. */
export function selectByIds({
  ids,
  where = '',
  ...query
}: Pick<Select, 'object' | 'fields' | 'where'> & { readonly ids: readonly string[] }): string {
  return select({ ...query, where: allOf([idListCondition(ids), where]) });
}
