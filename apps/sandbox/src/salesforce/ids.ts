import { toRecordId } from '@libs/contracts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Characters 4 and 5 name the server in real ids. Source: facts/salesforce.md §6. */
const SERVER = '5g';
/** Ids of a lived-in org do not begin at 1. */
const FIRST = 5 * 62 ** 5;

/**
 * The 18-character id of the n-th record (from 1) of an object. Deterministic; later records have greater ids, compared
 * character by character, as records of one server do in a real org.
 */
export function recordIdOf(keyPrefix: string, n: number): string {
  let rest = FIRST + n;
  let digits = '';
  while (rest > 0) {
    digits = (DIGITS[rest % 62] ?? '') + digits;
    rest = Math.floor(rest / 62);
  }
  const id = toRecordId(keyPrefix + SERVER + digits.padStart(10, '0'));
  if (id === null) throw new Error(`no record id for prefix ${keyPrefix} and number ${n}`);
  return id;
}
