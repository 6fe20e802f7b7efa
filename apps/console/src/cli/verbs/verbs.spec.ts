import { describe, expect, it } from 'vitest';
import { CliError } from '../exit-codes.js';
import { parseIds } from '../record-ids.js';
import { outcomeLine, statusLine } from './tail.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';

describe('parseIds', () => {
  it.each([
    ['commas', [`${LEAD},${CONTACT}`], [LEAD, CONTACT]],
    ['arguments', [LEAD, CONTACT], [LEAD, CONTACT]],
    ['15 characters', [LEAD.slice(0, 15)], [LEAD]],
    ['repeats', [LEAD, LEAD], [LEAD]],
    ['a file', ['@ids.txt'], [CONTACT, LEAD]],
  ])('reads %s', (_, given, ids) => {
    expect(parseIds(given, '--ids', (file) => `${file === 'ids.txt' ? CONTACT : ''}\n${LEAD}\r\n`)).toEqual(ids);
  });

  it.each([
    ['a wrong checksum', [`${LEAD.slice(0, 15)}AAA`], `no record id: ${LEAD.slice(0, 15)}AAA`],
    ['many wrong ones', ['a b c d e f g'], 'no record id: a, b, c, d, e and 2 more'],
    ['none', [' , '], '--ids: no id given'],
    ['a file that is not there', ['@/nowhere/ids.txt'], '/nowhere/ids.txt cannot be read (ENOENT)'],
  ])('refuses %s', (_, given, message) => {
    expect(() => parseIds(given)).toThrow(CliError);
    expect(() => parseIds(given)).toThrow(message);
  });
});

describe('lines of tail', () => {
  const time = Date.UTC(2026, 10, 24, 12, 30, 5);

  it.each([
    [
      { type: 'rejected' as const, data: { reason: 'no mapping file', code: 'x' } },
      '12:30:05 backfill j1 rejected reason=no mapping file code=x',
    ],
    [
      { type: 'progress' as const, data: { written: 4, dead: 0, reasons: {}, summary: 'so far' } },
      '12:30:05 backfill j1 progress summary=so far written=4',
    ],
  ])('status %#', (message, line) => {
    expect(statusLine({ id: 'j1', time, by: 'backfill', ...message })).toBe(line);
  });

  it.each([
    [
      { kind: 'written' as const, recordType: 'Lead', recordId: LEAD, offsets: ['0:1', '0:2'] },
      `12:30:05 realtime Lead ${LEAD} written (2 changes)`,
    ],
    [
      { kind: 'dead' as const, reason: 'event-log.malformed_message', offsets: ['0:1'] },
      '12:30:05 realtime ? ? dead event-log.malformed_message',
    ],
  ])('outcome %#', (outcome, line) => {
    expect(outcomeLine({ jobIds: [], lane: 'realtime', time, ...outcome })).toBe(line);
  });
});
