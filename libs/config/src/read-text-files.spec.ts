import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTextFiles } from './read-text-files.js';

function directory(): string {
  return mkdtempSync(join(tmpdir(), 'text-files-'));
}

describe('readTextFiles', () => {
  it('reads what has the ending, by name, and nothing else', () => {
    const dir = directory();
    writeFileSync(join(dir, 'b.yaml'), 'b: ü\n');
    writeFileSync(join(dir, 'a.json'), '{}');
    writeFileSync(join(dir, '.hidden.yaml'), 'x');
    writeFileSync(join(dir, 'README.md'), 'x');
    writeFileSync(join(dir, 'a.yaml~'), 'x');
    mkdirSync(join(dir, 'old.yaml'));
    expect(readTextFiles(dir, ['.yaml', '.json'])).toEqual([
      { name: 'a.json', text: '{}' },
      { name: 'b.yaml', text: 'b: ü\n' },
    ]);
  });

  it('follows the links of a mounted ConfigMap', () => {
    const dir = directory();
    mkdirSync(join(dir, '..2026_11_24'));
    writeFileSync(join(dir, '..2026_11_24', 'Lead.yaml'), 'object: Lead\n');
    symlinkSync('..2026_11_24', join(dir, '..data'));
    symlinkSync(join('..data', 'Lead.yaml'), join(dir, 'Lead.yaml'));
    expect(readTextFiles(dir, ['.yaml'])).toEqual([{ name: 'Lead.yaml', text: 'object: Lead\n' }]);
  });

  it('drops a byte order mark and marks what is not UTF-8', () => {
    const dir = directory();
    writeFileSync(join(dir, 'bom.yaml'), Buffer.from([0xef, 0xbb, 0xbf, 0x61]));
    writeFileSync(join(dir, 'latin.yaml'), Buffer.from([0x61, 0xe9, 0x62]));
    expect(readTextFiles(dir, ['.yaml']).map((file) => file.text)).toEqual(['a', 'a\uFFFDb']);
  });

  it('says which directory or file cannot be read', () => {
    const dir = directory();
    expect(() => readTextFiles(join(dir, 'gone'), ['.yaml'])).toThrow(`${join(dir, 'gone')} cannot be read (ENOENT)`);
    symlinkSync('nowhere', join(dir, 'Lead.yaml'));
    expect(() => readTextFiles(dir, ['.yaml'])).toThrow(`${join(dir, 'Lead.yaml')} cannot be read (ENOENT)`);
  });
});
