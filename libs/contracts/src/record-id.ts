const CHECKSUM_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const ID_15 = /^[0-9A-Za-z]{15}$/;
const ID_18 = /^[0-9A-Za-z]{15}[A-Z0-5]{3}$/;

/** The id Salesforce gives where there is none, e.g. in an overflow event. Source: CDC guide, overflow events. */
export const EMPTY_RECORD_ID = '000000000000000AAA';

/** Key prefixes (first three characters) of the standard objects this project maps. Source: facts/salesforce.md §6. */
export const KEY_PREFIXES: Readonly<Record<string, string>> = {
  '001': 'Account',
  '003': 'Contact',
  '005': 'User',
  '00Q': 'Lead',
};

/** The three checksum characters of a 15-character id. Source: facts/salesforce.md §6. */
function checksum(id15: string): string {
  return [0, 5, 10]
    .map((start) => {
      let bits = 0;
      for (let index = 0; index < 5; index += 1) {
        const char = id15[start + index] ?? '';
        if (char >= 'A' && char <= 'Z') bits |= 1 << index;
      }
      return CHECKSUM_ALPHABET[bits] ?? '';
    })
    .join('');
}

/**
 * Brings a Salesforce record id to its 18-character form, the only form used as a key.
 * Shape: a 15- or 18-character id in; 18 characters out; `null` when it is neither or its checksum is wrong.
 */
export function toRecordId(text: string): string | null {
  if (ID_15.test(text)) return text + checksum(text);
  if (!ID_18.test(text)) return null;
  return checksum(text.slice(0, 15)) === text.slice(15) ? text : null;
}

/** The object a record id belongs to, told by its key prefix; `null` for a prefix that is not in {@link KEY_PREFIXES}. */
export function recordTypeOfId(recordId: string): string | null {
  return KEY_PREFIXES[recordId.slice(0, 3)] ?? null;
}
