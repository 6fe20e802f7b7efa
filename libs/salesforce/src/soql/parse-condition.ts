import { composeQuery, parseQuery, type Query, type WhereClause } from '@jetstreamapp/soql-parser-js';
import { fieldPath, identifier, SoqlPartError } from './soql.js';

/** A condition of a person's that cannot stand in a WHERE clause: what is wrong, and where. */
export class InvalidConditionError extends Error {
  override readonly name = 'InvalidConditionError';

  constructor(
    readonly problem: string,
    /** Character of the condition, from 0; `null` when it is about the whole. */
    readonly position: number | null,
    options?: ErrorOptions,
  ) {
    super(position === null ? problem : `${problem} at character ${position + 1}`, options);
  }
}

/** Clauses that may follow a condition in SOQL, and that a condition must not bring along. */
const CLAUSES: ReadonlyArray<readonly [keyof Query, string]> = [
  ['orderBy', 'ORDER BY'],
  ['limit', 'LIMIT'],
  ['offset', 'OFFSET'],
  ['groupBy', 'GROUP BY'],
  ['having', 'HAVING'],
  ['withDataCategory', 'WITH DATA CATEGORY'],
  ['withSecurityEnforced', 'WITH SECURITY_ENFORCED'],
  ['withAccessLevel', 'WITH'],
  ['for', 'FOR'],
  ['update', 'UPDATE'],
  ['usingScope', 'USING SCOPE'],
];

/**
 * The parser gives no positions, only words: an offset where its lexer stumbles, else the token that it did not expect.
 * A quoted string is not repeated, since it may be a value of a record.
 */
function toConditionError(error: unknown, prefix: string, where: string): InvalidConditionError {
  const { message } = error as Error;
  const offset = /at offset: (\d+)/.exec(message)?.[1];
  if (offset !== undefined) {
    const problem = 'unreadable: an unclosed quote, a comment or a stray character';
    return new InvalidConditionError(problem, Number(offset) - prefix.length, { cause: error });
  }
  const found =
    /but found: '(.*)'$/s.exec(message)?.[1] ?? /but found(?: -->|:) '?(.*?)'?(?: <--)?$/s.exec(message)?.[1];
  if (found === undefined || found === '') {
    return new InvalidConditionError('the condition ends too early', null, { cause: error });
  }
  const at = where.indexOf(found);
  const position = at >= 0 && at === where.lastIndexOf(found) ? at : null;
  const problem = found.startsWith("'") ? 'unexpected string' : `unexpected ${found}`;
  return new InvalidConditionError(problem, position, { cause: error });
}

/** Walks the tree: no subquery, only names that are names, no mix of AND and OR without parentheses (Salesforce refuses it). */
function check(where: WhereClause): void {
  const operators = new Map<number, string>();
  let depth = 0;
  for (let node: WhereClause | undefined = where; node !== undefined;) {
    const { left } = node;
    if (left !== null) {
      const { openParen = 0 } = left;
      for (let step = 0; step < openParen; step += 1) operators.delete((depth += 1));
      if ('valueQuery' in left) throw new InvalidConditionError('subqueries are not supported', null);
      if ('field' in left) fieldPath(left.field);
      if ('fn' in left) identifier(left.fn.functionName ?? '');
      depth -= 'closeParen' in left ? (left.closeParen ?? 0) : 0;
    }
    if (!('operator' in node)) return;
    if (node.operator !== 'NOT') {
      const before = operators.get(depth);
      if (before !== undefined && before !== node.operator) {
        throw new InvalidConditionError('AND and OR side by side: put parentheses round one of them', null);
      }
      operators.set(depth, node.operator);
    }
    node = node.right;
  }
}

/**
 * Checks the condition of a WHERE clause (without the word) and writes it anew from its syntax tree, so that nothing but a
 * condition can come through: no second clause, no subquery, no comment, no unbalanced quote or parenthesis.
 *
 * Whether its fields exist is for Salesforce to say. Errors: {@link InvalidConditionError}.
 */
export function parseCondition(object: string, where: string): string {
  const prefix = `SELECT Id FROM ${identifier(object)} WHERE `;
  if (where.trim() === '') throw new InvalidConditionError('the condition is empty', null);
  let query: Query;
  try {
    query = parseQuery(prefix + where);
  } catch (error) {
    throw toConditionError(error, prefix, where);
  }
  for (const [part, name] of CLAUSES) {
    if (query[part] !== undefined) throw new InvalidConditionError(`${name} is not part of a condition`, null);
  }
  if (query.sObject !== object || query.sObjectAlias !== undefined || query.where === undefined) {
    throw new InvalidConditionError('not a SOQL condition', null);
  }
  try {
    check(query.where);
  } catch (error) {
    if (!(error instanceof SoqlPartError)) throw error;
    throw new InvalidConditionError(error.message, null, { cause: error });
  }
  return composeQuery({ fields: query.fields ?? [], sObject: object, where: query.where }).slice(prefix.length);
}
