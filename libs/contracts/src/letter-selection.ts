import type { DeadLetter } from './messages.js';
import { recordTypeOfId } from './record-id.js';

/** Which dead letters are meant: those that fulfil all that is given. Times: epoch milliseconds. */
export interface LetterSelection {
  readonly codes?: readonly string[];
  readonly objects?: readonly string[];
  /** Record ids. */
  readonly ids?: readonly string[];
  /** Letters written at or after this, and before that. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** The object that a letter is about; `undefined`: it names none, and its record id, if any, does not tell. */
export function objectOfLetter({
  recordType,
  recordId,
}: Pick<DeadLetter, 'recordType' | 'recordId'>): string | undefined {
  return recordType ?? (recordId === undefined ? undefined : (recordTypeOfId(recordId) ?? undefined));
}

/** Makes the question whether a letter is one of the selection. A letter is written at the time of its last attempt. */
export function selectsLetter(selection: LetterSelection): (letter: DeadLetter) => boolean {
  const { codes, objects, ids, fromMs, toMs } = selection;
  const [byCode, byObject, byId] = [codes, objects, ids].map((given) => given && new Set(given));
  return (letter) =>
    (byCode === undefined || byCode.has(letter.code)) &&
    (byObject === undefined || byObject.has(objectOfLetter(letter) ?? '')) &&
    (byId === undefined || byId.has(letter.recordId ?? '')) &&
    (fromMs === undefined || letter.lastTime >= fromMs) &&
    (toMs === undefined || letter.lastTime < toMs);
}
