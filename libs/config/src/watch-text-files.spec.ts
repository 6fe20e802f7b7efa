import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnreadableFilesError } from './read-text-files.js';
import { readFiles, TextFilesWatch, type FilesReading } from './watch-text-files.js';

let directory: string;
let watch: TextFilesWatch;
let given: Array<{ readonly text: string; readonly cause: string }>;
let decided: boolean;

const textOf = (reading: FilesReading) =>
  reading instanceof UnreadableFilesError ? 'unreadable' : reading.map(({ name, text }) => `${name}=${text}`).join(' ');
const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
const texts = () => given.map(({ text }) => text);

function begin(at = directory): void {
  watch = new TextFilesWatch({
    directory: at,
    extensions: ['.yaml'],
    known: readFiles(at, ['.yaml']),
    decide: async (reading, cause) => {
      given.push({ text: textOf(reading), cause });
      return decided;
    },
    onBug: (error) => expect.unreachable(String(error)),
  });
  watch.start();
}

beforeEach(() => {
  vi.useFakeTimers();
  directory = mkdtempSync(join(tmpdir(), 'watch-'));
  given = [];
  decided = true;
  write('a.yaml', '1');
});

afterEach(async () => {
  await Promise.all([watch.close(), vi.advanceTimersByTimeAsync(10_000)]);
  vi.useRealTimers();
});

describe('TextFilesWatch', () => {
  it('tells of a new content once, within seconds, and of the one it began with never', async () => {
    begin();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(given).toEqual([]);
    write('a.yaml', '2');
    await vi.advanceTimersByTimeAsync(2_500);
    expect(given).toEqual([{ text: 'a.yaml=2', cause: 'edit' }]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(given).toHaveLength(1);
  });

  it('sees files come and go, and the directory too', async () => {
    begin();
    write('b.yaml', '1');
    write('notes.md', 'x');
    await vi.advanceTimersByTimeAsync(2_500);
    rmSync(join(directory, 'a.yaml'));
    await vi.advanceTimersByTimeAsync(2_500);
    rmSync(directory, { recursive: true });
    await vi.advanceTimersByTimeAsync(2_500);
    mkdirSync(directory);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(texts()).toEqual(['a.yaml=1 b.yaml=1', 'b.yaml=1', 'unreadable', '']);
  });

  it('waits for the end of an edit that takes several steps', async () => {
    begin();
    write('a.yaml', '');
    await vi.advanceTimersByTimeAsync(2_100); // looked at, and seen empty
    write('a.yaml', '2');
    await vi.advanceTimersByTimeAsync(200);
    write('a.yaml', '23');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(texts()).toEqual(['a.yaml=23']);
  });

  it('takes files that never stand still as they are', async () => {
    begin();
    let n = 1;
    const writer = setInterval(() => write('a.yaml', String((n += 1))), 100);
    await vi.advanceTimersByTimeAsync(10_000);
    clearInterval(writer);
    expect(given.length).toBeGreaterThan(0);
  });

  it('follows a mounted ConfigMap, whose data is one link that is swapped', async () => {
    const mount = join(directory, 'mount');
    for (const [version, text] of [
      ['v1', '1'],
      ['v2', '2'],
    ] as const) {
      mkdirSync(join(mount, version), { recursive: true });
      writeFileSync(join(mount, version, 'a.yaml'), text);
    }
    symlinkSync('v1', join(mount, '..data'));
    symlinkSync(join('..data', 'a.yaml'), join(mount, 'a.yaml'));
    begin(mount);
    symlinkSync('v2', join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    await vi.advanceTimersByTimeAsync(2_500);
    expect(texts()).toEqual(['a.yaml=2']);
  });

  it('gives again what could not be decided, and then also what was there before', async () => {
    begin();
    decided = false;
    write('a.yaml', '2');
    await vi.advanceTimersByTimeAsync(8_500);
    expect(given.length).toBeGreaterThan(2);
    expect(new Set(texts())).toEqual(new Set(['a.yaml=2']));
    decided = true;
    write('a.yaml', '1');
    await vi.advanceTimersByTimeAsync(8_500);
    expect(texts().filter((text) => text === 'a.yaml=1')).toHaveLength(1);
  });

  it('looks at once when told to, and only tells of what is new', async () => {
    begin();
    await watch.look();
    expect(given).toEqual([]);
    write('a.yaml', '2');
    const looked = watch.look();
    await vi.advanceTimersByTimeAsync(300);
    await looked;
    expect(given).toEqual([{ text: 'a.yaml=2', cause: 'command' }]);
  });
});
