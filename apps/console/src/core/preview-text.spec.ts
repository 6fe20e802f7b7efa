import { errorCodes } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { notWritten, outranked, personNotWritten, written } from './preview-text.js';

const CONTACT = '0035f00002EztxDAAR';

describe('notWritten', () => {
  it.each([
    [{ kind: 'deleted' as const, reason: 'salesforce.merged' as const }, 'salesforce.merged', 'ON_DELETE says'],
    [{ kind: 'converted' as const, contactId: CONTACT }, 'salesforce.converted', `sync mapping preview ${CONTACT}`],
    [{ kind: 'filtered' as const }, 'mapping.filtered', ''],
    [{ kind: 'skipped' as const, reason: 'mapping.no_email' as const }, 'mapping.no_email', ''],
    [
      { kind: 'failed' as const, code: 'mapper.no_modstamp', message: 'no stamp' },
      'mapper.no_modstamp',
      'Here: no stamp.',
    ],
  ])('%j', (fate, reason, more) => {
    const said = notWritten(fate);
    expect(said).toMatchObject({ fate: fate.kind, reason });
    expect(said.text).toContain(errorCodes[reason]?.meaning);
    expect(said.text).toContain(more);
  });
});

it('another record has the address', () => {
  expect(outranked({ object: 'Contact', recordId: CONTACT })).toMatchObject({
    fate: 'outranked',
    reason: 'writer.outranked',
    text: expect.stringContaining(`Here: Contact ${CONTACT}. Nothing of this one is written.`),
  });
});

it('the person has no profile', () => {
  expect(personNotWritten(CONTACT, 'writer.person_not_written')).toMatchObject({
    fate: 'skipped',
    text: expect.stringContaining(`sync mapping preview ${CONTACT}`),
  });
});

describe('written', () => {
  const one = { path: 'dataFields.A', kind: 'added' as const, after: 1 };

  it.each([
    ['unknown', { profile: 'not-asked' as const, difference: null }, 'Would be written to the profile a@example.com.'],
    ['the same', { profile: 'found' as const, difference: [] }, 'It changes nothing there.'],
    ['one', { profile: 'found' as const, difference: [one] }, 'It changes one field there.'],
    ['several', { profile: 'found' as const, difference: [one, one] }, 'It changes 2 fields there.'],
    ['new', { profile: 'none' as const, difference: [one] }, 'Iterable has no such profile: the write makes it'],
  ])('over a profile that is %s', (_, over, text) => {
    const said = written('a@example.com', over, ['So it is.']);
    expect(said).toMatchObject({ fate: 'written', text: expect.stringContaining(text) });
    expect(said.text).toMatch(/^Would be written to the profile a@example\.com\. .*So it is\.$/);
  });
});
