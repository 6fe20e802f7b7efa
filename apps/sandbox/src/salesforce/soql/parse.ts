import { parseQuery, type Query } from '@jetstreamapp/soql-parser-js';
import { malformedQuery, soqlError } from './soql-error.js';

/** Longest query, characters. Source: facts/salesforce.md §4.2. */
const MAX_SOQL = 100_000;

/** Parses a query. Throws MALFORMED_QUERY. */
export function parseSoql(soql: string): Query {
  if (soql.trim() === '') throw malformedQuery('A query string has to be specified');
  if (soql.length > MAX_SOQL) {
    throw malformedQuery(`SOQL statements cannot be longer than ${MAX_SOQL} characters.`);
  }
  try {
    return parseQuery(soql);
  } catch (error) {
    throw refusal(soql, error instanceof Error ? error.message : String(error));
  }
}

/** The parser's complaint in Salesforce's words. */
function refusal(soql: string, complaint: string) {
  const found = /(?:but found:? ?(?:-->)? ?'?)([^'\n<]*)/.exec(complaint)?.[1]?.trim();
  if (complaint.includes('unexpected character')) {
    return malformedQuery(`line 1:${soql.length} mismatched character '<EOF>' expecting '''`);
  }
  if (found === undefined || found === '') return malformedQuery(`unexpected token: '<EOF>'`);
  return soqlError('MALFORMED_QUERY', soql, found, `unexpected token: '${found}'`);
}
