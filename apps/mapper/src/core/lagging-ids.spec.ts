import { describe, expect, it } from 'vitest';
import type { ChangeSource, ChangeType } from '@libs/contracts';
import { compileMapping } from '@libs/mapping';
import { laggingIds } from './lagging-ids.js';

const CONTACT = '0035f00002EztxDAAR';
const compiled = compileMapping({
  file: 'Contact.yaml',
  object: 'Contact',
  fields: [{ source: 'Account.Name', target: 'dataFields.Company' }],
});

const at = (second: number) => `2026-11-24T08:00:${String(second).padStart(2, '0')}.000+0000`;
const commit = (second: number, ms = 0) => Date.UTC(2026, 10, 24, 8, 0, second, ms);

describe('laggingIds', () => {
  it.each<[string, ChangeType, Record<string, unknown> | null, number, boolean]>([
    ['the row is older than the change', 'UPDATE', { SystemModstamp: at(4) }, commit(5), true],
    ['the row is of the same second', 'UPDATE', { SystemModstamp: at(5) }, commit(5, 999), false],
    ['the row is newer', 'UPDATE', { SystemModstamp: at(6) }, commit(5), false],
    ['a parent is newer', 'UPDATE', { SystemModstamp: at(1), Account: { SystemModstamp: at(9) } }, commit(5), false],
    ['a created record is not there yet', 'CREATE', null, commit(5), true],
    ['an undeleted record is not there yet', 'UNDELETE', null, commit(5), true],
    ['a deleted record is not there any more', 'DELETE', null, commit(5), false],
    ['a deleted record is still as it was', 'DELETE', { SystemModstamp: at(4) }, commit(5), true],
    ['a backfilled record vanished', 'SNAPSHOT', null, commit(5), false],
    ['a backfilled record is old', 'SNAPSHOT', { SystemModstamp: at(1) }, commit(5), false],
    ['the row has no stamp', 'UPDATE', {}, commit(5), false],
  ])('%s', (_what, changeType, row, newestCommitTimestamp, lagging) => {
    const entry = {
      recordId: CONTACT,
      changeType,
      offsets: ['0:1'],
      jobIds: [],
      oldestCommitTimestamp: 0,
      newestCommitTimestamp,
    };
    const batch = { batchId: 'b', recordType: 'Contact', entries: [entry], windowStart: 0, windowEnd: 1 };
    const rows = new Map(row === null ? [] : [[CONTACT, { row, fetchedAtMs: 0 }]]);
    expect(laggingIds(batch, rows, compiled)).toEqual(lagging ? [CONTACT] : []);
  });

  it.each<[string, Record<string, unknown> | null, ChangeSource[], boolean]>([
    [
      'does not show its parent as it is',
      { SystemModstamp: at(1), Account: { SystemModstamp: at(4) } },
      ['fan-out'],
      true,
    ],
    ['shows its parent as it is', { SystemModstamp: at(1), Account: { SystemModstamp: at(5) } }, ['fan-out'], false],
    ['has no parent any more', { SystemModstamp: at(9), Account: null }, ['fan-out'], false],
    ['vanished', null, ['fan-out'], false],
    ['was only read again', { SystemModstamp: at(1), Account: { SystemModstamp: at(4) } }, ['backfill'], false],
  ])('a record that follows its parent %s', (_what, row, sources, lagging) => {
    const times = { oldestCommitTimestamp: commit(5), newestCommitTimestamp: commit(5) };
    const entry = {
      recordId: CONTACT,
      changeType: 'SNAPSHOT' as const,
      offsets: ['0:1'],
      jobIds: [],
      sources,
      ...times,
    };
    const batch = { batchId: 'b', recordType: 'Contact', entries: [entry], windowStart: 0, windowEnd: 1 };
    const rows = new Map(row === null ? [] : [[CONTACT, { row, fetchedAtMs: 0 }]]);
    expect(laggingIds(batch, rows, compiled)).toEqual(lagging ? [CONTACT] : []);
  });
});
