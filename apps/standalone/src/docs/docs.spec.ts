import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allTopics, errorCodes } from '@libs/contracts';
import { metricDefinitions } from '@libs/observability';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { differences, writePages } from './files.js';
import { allPages } from './pages.js';
import { collectSettings } from './settings-page.js';

const pages = allPages('1.2.3');
const page = (path: string) => pages.find((candidate) => candidate.path === path)?.content ?? '';

/** Every `$ref` of a document that leads nowhere. */
function brokenRefs(document: unknown): string[] {
  const broken: string[] = [];
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return;
    for (const [key, value] of Object.entries(node)) {
      if (key === '$ref' && typeof value === 'string' && !value.startsWith('#/$defs')) {
        const target = value
          .slice(2)
          .split('/')
          .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document);
        if (target === undefined) broken.push(value);
      }
      visit(value);
    }
  };
  visit(document);
  return broken;
}

describe('the generated pages', () => {
  it('are the same each time', () => {
    expect(allPages('1.2.3')).toEqual(pages);
  });

  it('name every topic, metric and code', () => {
    for (const { name } of allTopics) {
      expect(page('docs/reference/topics.md')).toContain(`## ${name}\n`);
      expect(page('docs/reference/asyncapi.yaml')).toContain(`address: ${name}\n`);
    }
    for (const { name } of Object.values(metricDefinitions))
      expect(page('docs/reference/metrics.md')).toContain(`| \`${name}\` |`);
    for (const code of Object.keys(errorCodes))
      expect(page('docs/reference/error-codes.md')).toContain(`| \`${code}\` |`);
  });

  it.each(['docs/reference/asyncapi.yaml', 'docs/reference/openapi.yaml'])(
    '%s is YAML without aliases, and each reference leads somewhere',
    (path) => {
      const document = parse(page(path)) as { info: { version: string } };
      expect(document.info.version).toBe('1.2.3');
      expect(brokenRefs(document)).toEqual([]);
      expect(page(path)).not.toMatch(/[&*]a\d/);
    },
  );

  it('tell every variable once, with its default and who reads it', () => {
    const settings = page('docs/reference/settings.md');
    expect(settings).toContain('| `BATCHER_WINDOW_MS` | `60000` | ');
    expect(settings).toMatch(
      /\| `ITERABLE_API_KEY` \| \*\*required\*\* \| .*Secret\. \| iterable-writer, console \(optional\) \|/,
    );
    expect(settings).toMatch(/\| `LOG_LEVEL` .* \| every service \|/);
    expect(settings).toContain('`3001` cdc-listener');
    const names = [...settings.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    const example = [...page('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(new Set(example)).toEqual(new Set(names));
  });

  it('tell every command of the CLI', () => {
    for (const command of [
      'sync status',
      'sync backfill start',
      'sync backfill list',
      'sync backfill watch',
      'sync dead-letters list',
      'sync dead-letters show',
      'sync dead-letters redrive',
      'sync dead-letters continue',
      'sync mapping check',
      'sync mapping fields',
      'sync topics apply',
      'sync tail',
    ]) {
      expect(page('docs/reference/cli.md')).toContain(`## ${command}\n`);
    }
  });
});

describe('settings', () => {
  it('must be described, and not in two ways', () => {
    const program = (name: string, schema: z.ZodType) => ({ name, settings: z.object({ WAIT_MS: schema }) });
    expect(() => collectSettings([program('a', z.string())])).toThrow('WAIT_MS of a is not described');
    expect(() =>
      collectSettings([program('a', z.string().describe('One.')), program('b', z.string().describe('Two.'))]),
    ).toThrow('WAIT_MS is described in two ways, the second time by b');
  });
});

describe('differences', () => {
  it('names what is missing and where what is there differs', () => {
    const root = mkdtempSync(join(tmpdir(), 'docs-'));
    expect(differences(root, pages)).toEqual(pages.map(({ path }) => `${path} is missing`));
    writePages(root, pages);
    expect(differences(root, pages)).toEqual([]);
    const file = join(root, 'docs/reference/metrics.md');
    writeFileSync(file, readFileSync(file, 'utf8').replace('# Metrics', '# Numbers'));
    rmSync(join(root, '.env.example'));
    expect(differences(root, pages)).toEqual([
      '.env.example is missing',
      'docs/reference/metrics.md differs from line 1 on',
    ]);
  });
});
