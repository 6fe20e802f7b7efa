import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadSettingError, SyncError } from '@libs/contracts';
import { MappingFilesError } from '@libs/mapping';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveMappings, MAPPINGS_CHECK, type LiveMappingsParts, type MappingNews } from './live-mappings.js';

class Away extends SyncError {
  readonly code = 'salesforce.unavailable';
  readonly retryable = true;
}

const lead = (...fields: string[]) =>
  ['object: Lead', 'fields:', '  Email: email', ...fields.map((name) => `  ${name}: dataFields.${name}`), ''].join(
    '\n',
  );

let directory: string;
let health: Health;
let live: LiveMappings;
let news: MappingNews[];
const metrics = createMetrics();

const write = (text: string, name = 'Lead.yaml') => writeFileSync(join(directory, name), text);
const sources = (object = 'Lead') => live.inForce.get(object)?.fields.map(({ source }) => source);
const check = () => health.report().checks.find(({ name }) => name === MAPPINGS_CHECK);
const broken = async () => (await metrics.mappingBroken.get()).values.map(({ value, labels }) => [labels.app, value]);
const look = () => vi.advanceTimersByTimeAsync(2_500);

function begin(own: Partial<LiveMappingsParts> = {}): void {
  health = new Health();
  live = new LiveMappings({ app: 'test', directory, metrics, health, logger: createLogger('test', 'silent'), ...own });
  news = [];
  live.onNews((one) => news.push(one));
  live.start();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime('2026-11-24T12:00:00Z');
  directory = mkdtempSync(join(tmpdir(), 'live-mappings-'));
  write(lead('Title'));
});

afterEach(async () => {
  await Promise.all([live.close(), vi.advanceTimersByTimeAsync(10_000)]);
  vi.useRealTimers();
});

describe('LiveMappings', () => {
  it('applies an edit, and shows its version and since when it is in force', async () => {
    begin();
    const before = live.inForce;
    expect(check()?.detail).toMatch(/^in force: Lead [0-9a-f]{16} since 2026-11-24T12:00:00.000Z$/);
    write(lead('Title', 'Phone'));
    await look();
    expect(sources()).toEqual(['Email', 'Title', 'Phone']);
    expect(before.get('Lead')?.fields).toHaveLength(2); // replaced, not changed
    expect(news).toEqual([{ kind: 'applied', changed: ['Lead'], cause: 'edit' }]);
    expect(check()?.detail).toMatch(/since 2026-11-24T12:00:02\.\d+Z$/);
  });

  it('takes a file that comes and one that goes as edits', async () => {
    begin();
    write('object: Contact\nfields:\n  Email: email\n', 'Contact.yaml');
    await look();
    rmSync(join(directory, 'Lead.yaml'));
    await look();
    expect([...live.inForce.keys()]).toEqual(['Contact']);
    expect(news.map(({ kind, ...one }) => [kind, 'changed' in one && one.changed])).toEqual([
      ['applied', ['Contact']],
      ['applied', ['Lead']],
    ]);
  });

  it.each([
    [
      'a broken file',
      () => write('object: Lead\nfeilds:\n  Email: email\n'),
      /^Lead\.yaml:2:1: unknown key "feilds".*did you mean "fields"\?$/,
    ],
    ['a deleted last file', () => rmSync(join(directory, 'Lead.yaml')), /:1:1: no mapping file here/],
    ['a directory that is gone', () => rmSync(directory, { recursive: true }), /cannot be read \(ENOENT\)$/],
  ])('keeps the last good version, ready and with a warning: %s', async (_, edit, mistake) => {
    begin();
    edit();
    await look();
    expect(sources()).toEqual(['Email', 'Title']);
    expect(news).toEqual([{ kind: 'refused', mistakes: [expect.stringMatching(mistake)], cause: 'edit' }]);
    expect(check()).toMatchObject({ ok: true, warning: true });
    expect(health.ready).toBe(true);
    expect(await broken()).toEqual([['test', 1]]);
  });

  it('says once what is wrong, and that it is mended, also by the text of before', async () => {
    begin();
    write('nonsense');
    await look();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(news).toHaveLength(1);
    write(lead('Title'));
    await look();
    expect(news[1]).toEqual({ kind: 'applied', changed: [], cause: 'edit' });
    expect(check()).not.toHaveProperty('warning');
    expect(await broken()).toEqual([['test', 0]]);
  });

  it('has nothing to say of comments', async () => {
    begin();
    write(`# ours\n${lead('Title')}`);
    await look();
    expect(news).toEqual([]);
  });

  it('refuses what the check refuses, asks again ever less often, and applies it when the check holds', async () => {
    let hidden = true;
    const asked = vi.fn(async () => {
      if (hidden) throw new MappingFilesError([{ file: 'Lead.yaml', line: 1, column: 1, message: 'Phone is hidden' }]);
    });
    begin({ check: asked });
    write(lead('Title', 'Phone'));
    await look();
    expect(sources()).toEqual(['Email', 'Title']);
    expect(news).toEqual([{ kind: 'refused', mistakes: ['Lead.yaml:1:1: Phone is hidden'], cause: 'edit' }]);
    asked.mockClear();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked.mock.calls.length).toBeGreaterThan(8);
    expect(asked.mock.calls.length).toBeLessThan(20);
    expect(news).toHaveLength(1);
    hidden = false;
    await vi.advanceTimersByTimeAsync(65_000);
    expect(sources()).toEqual(['Email', 'Title', 'Phone']);
    expect(news[1]).toEqual({ kind: 'applied', changed: ['Lead'], cause: 'edit' });
  });

  it('goes back to the version in force when a refused edit is taken back', async () => {
    begin({
      check: async (next, inForce) => {
        if (next.get('Lead')?.fields.length !== inForce.get('Lead')?.fields.length)
          throw new MappingFilesError([{ file: 'a', line: 1, column: 1, message: 'no' }]);
      },
    });
    write(lead('Title', 'Phone'));
    await look();
    expect(live.state).toMatchObject({ kind: 'refused' });
    write(lead('Title'));
    await look();
    expect(live.state).toEqual({ kind: 'in-force' });
  });

  it('waits, without a word of a mistake, while the check cannot be made', async () => {
    let away = true;
    begin({
      check: async () => {
        if (away) throw new Away('describe of Lead: 503');
      },
    });
    write(lead('Title', 'Phone'));
    await look();
    expect(live.state).toEqual({ kind: 'waiting', reason: 'describe of Lead: 503' });
    expect(check()).toMatchObject({ ok: true, warning: true });
    expect(await broken()).toEqual([['test', 0]]);
    expect(news).toEqual([]);
    away = false;
    const reloaded = live.reload(); // does not wait for the pause to end
    await vi.advanceTimersByTimeAsync(300);
    expect(await reloaded).toEqual(['Lead']);
    expect(news).toEqual([{ kind: 'applied', changed: ['Lead'], cause: 'command' }]);
  });

  it('does not begin without a version that works', () => {
    begin();
    write('nonsense');
    const parts = { app: 'test', directory, metrics, health, logger: createLogger('test', 'silent') };
    expect(() => new LiveMappings(parts)).toThrow(BadSettingError);
  });
});
