/**
 * Room for the ids' URI: 16,384 bytes for URI and headers together, less 3,072 for the headers with a long (JWT) token.
 * Source: facts/salesforce.md §4.2.
 */
export const MAX_URI_BYTES = 16_384 - 3_072;

/** Most ids in one query, however short the rest. Source: facts/salesforce.md §4.3. */
export const MAX_IDS_PER_QUERY = 400;

/** Path of the query resource with the longest of its two names. */
const QUERY_PATH = '/services/data/v999.0/queryAll?q=';

/** `'00Q5f000005bwLFEAY',` as it stands in a URI: two quotes, a comma and 18 plain characters. Bytes. */
const BYTES_PER_ID = 18 + 2 * 3 + 3;

/** SOQL as a query parameter: exactly these bytes go over the wire (`'` too is encoded, as fetch would do itself). */
export function encodeSoql(soql: string): string {
  return encodeURIComponent(soql).replaceAll("'", '%27');
}

export interface ChunkOptions {
  /** What stands before the encoded query. Default: the longest path of the query resource. */
  readonly path?: string;
  readonly maxBytes?: number;
  readonly maxIds?: number;
}

/** Why the query for one id does not fit into a URI; `null`: it does. */
export function whyTooLong(
  soqlOfOne: string,
  { path = QUERY_PATH, maxBytes = MAX_URI_BYTES }: ChunkOptions = {},
): string | null {
  const left = roomFor(soqlOfOne, path, maxBytes);
  return left < 0 ? `the query is ${-left} bytes too long for a URI, with one id: select fewer fields` : null;
}

/** Bytes left beside the query for one id; negative: so many too many. */
function roomFor(soqlOfOne: string, path: string, maxBytes: number): number {
  return maxBytes - Buffer.byteLength(path) - encodeSoql(soqlOfOne).length;
}

/**
 * Cuts a list of ids so that each chunk's query fits into a URI.
 *
 * Shape: `soqlOfOne` is the whole query for one id, e.g. `selectByIds({…, ids: [ids[0]]})`; chunks keep the order, are never
 * empty, and join to the input. Errors: an Error when the query does not fit with a single id: a mapping selects too much.
 */
export function chunkIdsByUri(soqlOfOne: string, ids: readonly string[], options: ChunkOptions = {}): string[][] {
  const { path = QUERY_PATH, maxBytes = MAX_URI_BYTES, maxIds = MAX_IDS_PER_QUERY } = options;
  const tooLong = whyTooLong(soqlOfOne, options);
  if (tooLong !== null) throw new Error(tooLong);
  const left = roomFor(soqlOfOne, path, maxBytes);
  const size = Math.min(maxIds, 1 + Math.floor(left / BYTES_PER_ID));
  const chunks: string[][] = [];
  for (let start = 0; start < ids.length; start += size) chunks.push(ids.slice(start, start + size));
  return chunks;
}
