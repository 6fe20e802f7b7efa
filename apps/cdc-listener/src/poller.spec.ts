import type { RecordChange } from '@libs/contracts';
import type { Outgoing } from '@libs/event-log';
import { SalesforceUnavailableError, type QueryOptions, type QueryPage } from '@libs/salesforce';
import { beforeEach, describe, expect, it } from 'vitest';
import { idOf } from '../test/stage.js';
import { Poller } from './poller.js';

const T0 = 1_764_060_000_000;
const signal = new AbortController().signal;

let rows: Array<{ Id: string; at: number }>;
let asked: Array<{ soql: string; options: QueryOptions | undefined }>;
let published: RecordChange[];
let accept: boolean;
let pageSize: number;

beforeEach(() => {
  rows = [];
  asked = [];
  published = [];
  accept = true;
  pageSize = 2_000;
});

/** Answers as the org does, for the one form of query that the poller sends; smaller pages than asked for are allowed. */
async function query(soql: string, options?: QueryOptions): Promise<QueryPage> {
  asked.push({ soql, options });
  const [, op = '', at = '', id] =
    /SystemModstamp (>=?) (\S+)(?: OR \(SystemModstamp = \S+ AND Id > '(\w+)'\))? ORDER BY SystemModstamp,Id LIMIT 2000$/.exec(
      soql,
    ) ?? [];
  const from = Date.parse(at);
  const due = rows
    .filter((row) => row.at > from || (row.at === from && (op === '>=' || row.Id > (id ?? ''))))
    .toSorted((a, b) => a.at - b.at || (a.Id < b.Id ? -1 : 1))
    .slice(0, 2_000);
  const records = due.slice(0, pageSize).map((row) => ({ Id: row.Id, SystemModstamp: new Date(row.at).toISOString() }));
  return { totalSize: due.length, records, next: due.length > records.length ? '/next' : null };
}

const publish = async (messages: readonly Outgoing[]) => {
  if (accept) published.push(...messages.map(({ value }) => value as RecordChange));
  return accept;
};
const poller = () => new Poller({ query }, { publish });

describe('Poller', () => {
  it('publishes the rows since a moment less the overlap, deleted ones too, and says up to where', async () => {
    rows = [
      { Id: idOf(1), at: T0 - 601_000 },
      { Id: idOf(2), at: T0 - 600_000 },
      { Id: idOf(3), at: T0 + 5_000 },
    ];
    expect(await poller().poll('Lead', T0, signal)).toBe(T0 + 5_000);
    expect(published.map(({ recordId }) => recordId)).toEqual([idOf(2), idOf(3)]);
    expect(published[1]).toEqual({
      recordType: 'Lead',
      recordId: idOf(3),
      changeType: 'SNAPSHOT',
      source: 'catch-up',
      lane: 'realtime',
      commitTimestamp: T0 + 5_000,
    });
    expect(asked[0]?.options).toMatchObject({ includeDeleted: true });
  });

  it.each([2_000, 700])('reads any number of rows of one second, in pages of %i', async (size) => {
    pageSize = size;
    rows = Array.from({ length: 4_500 }, (_, n) => ({ Id: idOf(n), at: T0 }));
    expect(await poller().poll('Lead', T0, signal)).toBe(T0);
    expect(new Set(published.map(({ recordId }) => recordId)).size).toBe(4_500);
    expect(published).toHaveLength(4_500);
  });

  it('leaves out what it published, until the row changes again', async () => {
    const one = poller();
    rows = [{ Id: idOf(1), at: T0 }];
    await one.poll('Lead', T0, signal);
    await one.poll('Lead', T0, signal);
    expect(published).toHaveLength(1);
    rows = [{ Id: idOf(1), at: T0 + 1_000 }];
    expect(await one.poll('Lead', T0, signal)).toBe(T0 + 1_000);
    expect(published).toHaveLength(2);
  });

  it('does not move when the log did not take the changes, and publishes them the next time', async () => {
    const one = poller();
    rows = [{ Id: idOf(1), at: T0 }];
    accept = false;
    expect(await one.poll('Lead', T0 - 1_000, signal)).toBeNull();
    accept = true;
    expect(await one.poll('Lead', T0 - 1_000, signal)).toBe(T0);
    expect(published).toHaveLength(1);
  });

  it('takes a row without its stamp for a failure of the world', async () => {
    const broken = new Poller(
      { query: async () => ({ totalSize: 1, records: [{ Id: idOf(1) }], next: null }) },
      { publish },
    );
    await expect(broken.poll('Lead', T0, signal)).rejects.toThrow(SalesforceUnavailableError);
  });
});
