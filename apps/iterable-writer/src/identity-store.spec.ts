import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IdentityStore } from './identity-store.js';

let dataDir: string;
const opened: IdentityStore[] = [];

function open(source = 'kafka-1'): IdentityStore {
  const store = IdentityStore.open({ dataDir, source });
  opened.push(store);
  return store;
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'identities-'));
});

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const version = (modstampMs: number, fetchedAtMs = 0) => ({ modstampMs, fetchedAtMs });
const entry = (recordId: string, modstampMs: number, offset: number, partition = 0) => ({
  recordId,
  identity: { recordType: 'Lead', email: 'ada@example.com', version: version(modstampMs) },
  partition,
  offset,
});

const versionIn = (store: IdentityStore, recordId: string) => store.of(recordId)?.version ?? null;

describe('IdentityStore', () => {
  it('keeps versions and positions over a restart', () => {
    const store = open();
    store.follow([entry('a', 1, 7), entry('b', 5, 8), entry('c', 1, 3, 2)]);
    store.close();
    const again = open();
    expect([versionIn(again, 'a'), versionIn(again, 'b'), versionIn(again, 'z')]).toEqual([
      version(1),
      version(5),
      null,
    ]);
    expect(again.positions()).toEqual({ 0: 9, 2: 4 });
  });

  it('lets a newer or equal version in, never an older one', () => {
    const store = open();
    store.follow([entry('a', 5, 0)]);
    store.follow([entry('a', 4, 1)]);
    expect(versionIn(store, 'a')).toEqual(version(5));
    store.follow([{ ...entry('a', 5, 2), identity: { recordType: 'Lead', version: version(5, 9) } }]);
    expect(versionIn(store, 'a')).toEqual(version(5, 9));
    store.follow([{ ...entry('a', 5, 3), identity: { recordType: 'Lead', version: version(5, 8) } }]);
    expect(versionIn(store, 'a')).toEqual(version(5, 9));
    expect(store.positions()).toEqual({ 0: 4 });
  });

  it('forgets by a tombstone, and passes what is unreadable', () => {
    const store = open();
    store.follow([entry('a', 5, 0), entry('b', 5, 1)]);
    store.follow([
      { ...entry('a', 0, 2), identity: null },
      { ...entry('b', 0, 3), identity: 'unreadable' },
    ]);
    expect([versionIn(store, 'a'), versionIn(store, 'b'), store.positions()]).toEqual([null, version(5), { 0: 4 }]);
  });

  it('moves its position with what was appended, unless something lies between', () => {
    const store = open();
    store.follow([entry('a', 1, 9)]);
    expect(store.add([entry('b', 1, 10), entry('c', 1, 11), entry('d', 1, 0, 1)])).toBe(true);
    expect(store.positions()).toEqual({ 0: 12, 1: 1 });
    expect(store.add([entry('e', 1, 13)])).toBe(false);
    expect([versionIn(store, 'e'), store.positions()]).toEqual([version(1), { 0: 12, 1: 1 }]);
    store.follow([entry('x', 1, 12), entry('e', 1, 13)]);
    expect(store.positions()).toEqual({ 0: 14, 1: 1 });
    expect(store.add([entry('a', 9, 3)])).toBe(true);
    expect(store.positions()).toEqual({ 0: 14, 1: 1 });
  });

  it('takes a file of its own while another has the first, and the first again when it is free', () => {
    const first = open();
    first.follow([entry('a', 1, 0)]);
    const second = open();
    expect([first.path, second.path].map((path) => path.slice(dataDir.length + 1))).toEqual([
      'writer-identities.db',
      'writer-identities-2.db',
    ]);
    expect(versionIn(second, 'a')).toBeNull();
    second.follow([entry('a', 2, 0)]);
    expect(versionIn(first, 'a')).toEqual(version(1));
    first.close();
    expect(open().path).toBe(first.path);
  });

  it('starts anew for another log', () => {
    const store = open('kafka-1');
    store.follow([entry('a', 1, 5)]);
    store.close();
    const other = open('kafka-2');
    expect([versionIn(other, 'a'), other.positions()]).toEqual([null, {}]);
  });

  it('starts anew when the file is missing or is no database', () => {
    const store = open();
    store.follow([entry('a', 1, 5)]);
    store.close();
    for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name));
    const fresh = open();
    expect(fresh.positions()).toEqual({});
    fresh.close();
    writeFileSync(fresh.path, 'not a database, but long enough to be read as one'.repeat(100));
    expect(open().positions()).toEqual({});
  });

  it('deletes a file that turns out broken in use, and says that a restart mends it', () => {
    const store = open();
    store.follow(Array.from({ length: 5_000 }, (_, n) => entry(`record-${n}`, 1, n)));
    store.close();
    // The first page, and with it the schema, and the short tables stay good; the pages after are torn.
    const bytes = readFileSync(store.path);
    writeFileSync(store.path, bytes.fill(0x5a, 12 * 4_096));
    const torn = open();
    expect(() => versionIn(torn, 'record-4077')).toThrow('a restart makes it anew');
    expect(existsSync(store.path)).toBe(false);
    expect(open().positions()).toEqual({});
  });

  it('forgets everything when told to', () => {
    const store = open();
    store.follow([entry('a', 1, 5)]);
    store.clear();
    expect([versionIn(store, 'a'), store.positions()]).toEqual([null, {}]);
  });
});
