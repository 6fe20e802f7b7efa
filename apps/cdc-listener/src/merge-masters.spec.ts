import type { RecordChange } from '@libs/contracts';
import type { Outgoing } from '@libs/event-log';
import { createLogger } from '@libs/observability';
import { SalesforceQueryError, SalesforceUnavailableError, type QueryOptions } from '@libs/salesforce';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { idOf, pause, settle } from '../test/stage.js';
import { MergeMasters } from './merge-masters.js';
import { Nudge } from './nudge.js';

let asked: Array<{ soql: string; options: QueryOptions | undefined }>;
let failures: Error[];
let published: RecordChange[];
let end: AbortController;
let masters: MergeMasters;
/** Loser to winner. */
const merged = new Map([[idOf(1), idOf(2)]]);

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  failures = [];
  published = [];
  end = new AbortController();
  const query = async (soql: string, options?: QueryOptions) => {
    asked.push({ soql, options });
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    const records = [...merged].flatMap(([Id, MasterRecordId]) => (soql.includes(Id) ? { Id, MasterRecordId } : []));
    return { totalSize: records.length, records, next: null };
  };
  const publish = async (messages: readonly Outgoing[]) => {
    published.push(...messages.map(({ value }) => value as RecordChange));
    return true;
  };
  const nudge = new Nudge(end.signal, pause);
  masters = new MergeMasters({ query }, { publish }, createLogger('test', 'silent'), nudge, end.signal);
  void masters.run();
});
afterEach(() => {
  end.abort();
  vi.useRealTimers();
});

const change = (n: number, own: Partial<RecordChange> = {}): RecordChange => ({
  recordType: 'Lead',
  recordId: idOf(n),
  changeType: 'DELETE',
  source: 'cdc',
  lane: 'realtime',
  commitTimestamp: 5_000,
  ...own,
});

describe('MergeMasters', () => {
  it('publishes the master of a deleted record that was merged, and nothing of one that was not', async () => {
    masters.look([change(1), change(3)]);
    await settle();
    expect(asked).toHaveLength(1);
    expect(asked[0]?.options).toMatchObject({ includeDeleted: true });
    expect(published).toEqual([change(2, { changeType: 'UPDATE' })]);
  });

  it('asks nothing for other changes, or for objects that cannot be merged', async () => {
    masters.look([change(1, { changeType: 'UPDATE' }), change(1, { recordType: 'Invoice__c' })]);
    await settle(120_000);
    expect(asked).toEqual([]);
  });

  it('tries again when Salesforce is out, with what was deleted meanwhile', async () => {
    failures = [new SalesforceUnavailableError('out')];
    masters.look([change(3)]);
    await settle();
    masters.look([change(1)]);
    expect(published).toEqual([]);
    await settle(6_000);
    expect(published.map(({ recordId }) => recordId)).toEqual([idOf(2)]);
  });

  it('gives up what Salesforce refuses, and goes on with the next', async () => {
    failures = [new SalesforceQueryError('no such column', 'INVALID_FIELD')];
    masters.look([change(1)]);
    await settle(60_000);
    expect(asked).toHaveLength(1);
    masters.look([change(1)]);
    await settle();
    expect(published).toHaveLength(1);
  });

  it('asks for a mass deletion in pieces, and for 10,000 at most', async () => {
    masters.look(Array.from({ length: 12_000 }, (_, n) => change(n)));
    await settle();
    const ids = asked.flatMap(({ soql }) => soql.match(/'00Q\w{15}'/g) ?? []);
    expect(new Set(ids).size).toBe(10_000);
    expect(asked.length).toBeGreaterThan(20);
    expect(published).toHaveLength(1);
  });
});
