import { errorCodes } from '@libs/contracts';
import type { RowFate } from '@libs/mapping';
import type { Claimant, Fate, RecordPreview } from './preview-answers.js';

/** A fate for a person, with its code. */
export type FateInWords = Pick<RecordPreview, 'fate' | 'reason' | 'text'>;

/** Why a record is not written, whatever its address. Input: every fate but those that make a body. */
export function notWritten(
  fate: Exclude<RowFate, { kind: 'user' | 'belonging' }> | { kind: 'failed'; code: string; message: string },
): FateInWords {
  switch (fate.kind) {
    case 'deleted':
      return words('deleted', fate.reason, 'Nothing is mapped of it: ON_DELETE says what becomes of its profile.');
    case 'converted':
      return words(
        'converted',
        'salesforce.converted',
        `That is ${fate.contactId}: sync mapping preview ${fate.contactId}`,
      );
    case 'failed':
      return words('failed', fate.code, `Here: ${fate.message}. It would end as a dead letter.`);
    case 'filtered':
      return words('filtered', 'mapping.filtered');
    case 'skipped':
      return words('skipped', fate.reason);
  }
  return fate satisfies never;
}

/** Another record has the address, and in a project keyed by email the profile with it. */
export function outranked(owner: Pick<Claimant, 'object' | 'recordId'>): FateInWords {
  return words(
    'outranked',
    'writer.outranked',
    `Here: ${owner.object} ${owner.recordId}. Nothing of this one is written.`,
  );
}

/** The person that a record belongs to has no profile of its own to be written on. */
export function personNotWritten(
  personId: string,
  reason: 'writer.outranked' | 'writer.person_not_written',
): FateInWords {
  return words('skipped', reason, `It belongs to ${personId}: sync mapping preview ${personId}`);
}

/** Written, as far as it is known where and over what. */
export function written(
  where: string,
  { profile, difference }: Pick<RecordPreview, 'profile' | 'difference'>,
  notes: readonly string[] = [],
): FateInWords {
  const count = difference?.length ?? 0;
  const effect = {
    'not-asked': '',
    none: 'Iterable has no such profile: the write makes it, or one that the record has under a former address moves there.',
    found:
      count === 0 ? 'It changes nothing there.' : `It changes ${count === 1 ? 'one field' : `${count} fields`} there.`,
  }[profile];
  const text = [`Would be written to the profile ${where}.`, effect, ...notes].filter((one) => one !== '').join(' ');
  return { fate: 'written', text };
}

function words(fate: Fate, reason: string, more = ''): FateInWords {
  const meaning = errorCodes[reason]?.meaning ?? reason;
  return { fate, reason, text: more === '' ? meaning : `${meaning} ${more}` };
}
