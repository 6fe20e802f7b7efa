import { SalesforceError } from '../errors.js';

const BEFORE = 60;
const AFTER = 40;

/**
 * A refusal of a query as Salesforce prints it: the line, a caret under the culprit, its place, the message.
 * Source: facts/salesforce.md §4.4, INVALID_FIELD. Long queries are shown around the culprit only.
 */
export function soqlError(errorCode: string, soql: string, culprit: string, message: string): SalesforceError {
  const line = soql.replaceAll(/\s/g, ' ');
  const at = placeOf(line, culprit);
  const from = line.length <= BEFORE + AFTER ? 0 : Math.max(0, at - BEFORE);
  const shown = line.length <= BEFORE + AFTER ? line : line.slice(from, at + AFTER);
  const caret = `${' '.repeat(at - from)}^`;
  return new SalesforceError(400, errorCode, `\n${shown}\n${caret}\nERROR at Row:1:Column:${at + 1}\n${message}`);
}

/** Offset of the word in the query, not counting text inside string literals; 0 when it is not there. */
function placeOf(line: string, culprit: string): number {
  const masked = line.replaceAll(/'(?:\\.|[^'\\])*'/g, (literal) => '\0'.repeat(literal.length));
  const escaped = culprit.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const found = new RegExp(String.raw`(?<![\w.])${escaped}(?![\w])`, 'i').exec(masked);
  return found?.index ?? 0;
}

export const malformedQuery = (message: string) => new SalesforceError(400, 'MALFORMED_QUERY', message);
