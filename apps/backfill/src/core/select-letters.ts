import { recordTypeOfId, type Cursor, type DeadLetter } from '@libs/contracts';

/** Which dead letters a redrive takes. */
export type LetterSelection = Pick<NonNullable<Cursor['redrive']>, 'codes' | 'objects' | 'ids' | 'fromMs' | 'toMs'>;

/** The object that a letter is about; `undefined`: it names none, and its record id, if any, does not tell. */
export function objectOf({ recordType, recordId }: Pick<DeadLetter, 'recordType' | 'recordId'>): string | undefined {
  return recordType ?? (recordId === undefined ? undefined : (recordTypeOfId(recordId) ?? undefined));
}

/** Makes the question whether a letter fulfils every condition that is given. Its time is the last one of its attempts. */
export function selects({ codes, objects, ids, fromMs, toMs }: LetterSelection): (letter: DeadLetter) => boolean {
  const [byCode, byObject, byId] = [codes, objects, ids].map((given) => given && new Set(given));
  return (letter) =>
    (byCode === undefined || byCode.has(letter.code)) &&
    (byObject === undefined || byObject.has(objectOf(letter) ?? '')) &&
    (byId === undefined || byId.has(letter.recordId ?? '')) &&
    (fromMs === undefined || letter.lastTime >= fromMs) &&
    (toMs === undefined || letter.lastTime < toMs);
}
