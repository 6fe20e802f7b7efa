import { describe, expect, it } from 'vitest';
import { selectsLetter, type LetterSelection } from './letter-selection.js';
import type { DeadLetter } from './messages.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';
const letter = (over: Partial<DeadLetter> = {}): DeadLetter => ({
  recordType: 'Lead',
  recordId: LEAD,
  offsets: ['0:1'],
  jobIds: [],
  stage: 'writer',
  code: 'iterable.invalid_email',
  message: 'no address',
  attempts: 1,
  firstTime: 500,
  lastTime: 1_000,
  ...over,
});
const nameless = letter({ recordType: undefined, recordId: undefined, code: 'event-log.malformed_message' });

describe('selectsLetter', () => {
  it.each<[LetterSelection, DeadLetter, boolean]>([
    [{ codes: ['iterable.invalid_email'] }, letter(), true],
    [{ codes: ['iterable.invalid_email'] }, letter({ code: 'iterable.forgotten' }), false],
    [{ codes: ['x', 'iterable.forgotten'] }, letter({ code: 'iterable.forgotten' }), true],
    [{ codes: ['event-log.malformed_message'] }, nameless, true],
    [{ objects: ['Lead'] }, letter(), true],
    [{ objects: ['Contact'] }, letter(), false],
    [{ objects: ['Contact'] }, letter({ recordType: undefined, recordId: CONTACT }), true],
    [{ objects: ['Lead'] }, nameless, false],
    [{ ids: [LEAD] }, letter(), true],
    [{ ids: [CONTACT] }, letter(), false],
    [{ ids: [LEAD] }, nameless, false],
    [{ fromMs: 1_000 }, letter(), true],
    [{ fromMs: 1_001 }, letter(), false],
    [{ toMs: 1_001 }, letter(), true],
    [{ toMs: 1_000 }, letter(), false],
    [{ codes: ['iterable.invalid_email'], objects: ['Contact'] }, letter(), false],
    [{ codes: ['iterable.invalid_email'], objects: ['Lead'], ids: [LEAD], fromMs: 1, toMs: 2_000 }, letter(), true],
  ])('%j: %#', (selection, given, taken) => {
    expect(selectsLetter(selection)(given)).toBe(taken);
  });
});
