import type { Condition, HavingClause, ValueQueryCondition, WhereClause } from '@jetstreamapp/soql-parser-js';
import { malformedQuery } from './soql-error.js';

export type Test = Exclude<Condition, { openParen: number }> | ValueQueryCondition;

/** A condition as a tree. The parser gives a flat chain with counts of parentheses. */
export type ConditionTree =
  { kind: 'and' | 'or'; parts: ConditionTree[] } | { kind: 'not'; part: ConditionTree } | { kind: 'test'; test: Test };

type Token = '(' | ')' | 'NOT' | 'AND' | 'OR' | Test;

/**
 * Rebuilds the tree of a WHERE clause. NOT binds tightest; AND and OR may be mixed only with parentheses, as Salesforce
 * demands. Throws MALFORMED_QUERY.
 */
export function conditionTree(where: WhereClause | HavingClause): ConditionTree {
  const tokens = tokensOf(where);
  const [tree, next] = readChain(tokens, 0);
  if (next < tokens.length) throw malformedQuery(`unexpected token: '${printed(tokens[next])}'`);
  return tree;
}

function tokensOf(where: WhereClause | HavingClause): Token[] {
  const tokens: Token[] = [];
  let clause: WhereClause | HavingClause | undefined = where;
  while (clause !== undefined) {
    const left: Test | { openParen: number } | null = clause.left;
    tokens.push(...Array<Token>(left?.openParen ?? 0).fill('('));
    if (left !== null && ('field' in left || 'fn' in left)) {
      tokens.push(left, ...Array<Token>(left.closeParen ?? 0).fill(')'));
    }
    if ('operator' in clause) {
      tokens.push(clause.operator);
      clause = clause.right;
    } else {
      clause = undefined;
    }
  }
  return tokens;
}

function readChain(tokens: readonly Token[], start: number): [ConditionTree, number] {
  let [first, next] = readOne(tokens, start);
  const operator = tokens[next];
  if (operator !== 'AND' && operator !== 'OR') return [first, next];
  const parts = [first];
  while (tokens[next] === operator) {
    [first, next] = readOne(tokens, next + 1);
    parts.push(first);
  }
  const after = tokens[next];
  if (after === 'AND' || after === 'OR') throw malformedQuery(`unexpected token: '${after}'`);
  return [{ kind: operator === 'AND' ? 'and' : 'or', parts }, next];
}

function readOne(tokens: readonly Token[], at: number): [ConditionTree, number] {
  const token = tokens[at];
  if (token === 'NOT') {
    const [part, next] = readOne(tokens, at + 1);
    return [{ kind: 'not', part }, next];
  }
  if (token === '(') {
    const [inner, next] = readChain(tokens, at + 1);
    if (tokens[next] !== ')') throw malformedQuery(`unexpected token: '${printed(tokens[next])}'`);
    return [inner, next + 1];
  }
  if (typeof token === 'object') return [{ kind: 'test', test: token }, at + 1];
  throw malformedQuery(`unexpected token: '${printed(token)}'`);
}

function printed(token: Token | undefined): string {
  if (token === undefined) return '<EOF>';
  return typeof token === 'string' ? token : 'field' in token ? token.field : (token.fn.rawValue ?? '');
}
