import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTextFiles } from '@libs/config';
import { BadSettingError } from '@libs/contracts';
import { mappingFileExtensions, type MappingSet } from '@libs/mapping';
import { toMapperSet } from './read-mappings.js';

function readMappings(directory: string): MappingSet {
  return toMapperSet(readTextFiles(directory, mappingFileExtensions), directory, 'email');
}

function directoryWith(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'mappings-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

function refusal(directory: string): string {
  try {
    readMappings(directory);
  } catch (error) {
    if (error instanceof BadSettingError) return error.message;
    throw error;
  }
  throw new Error('not refused');
}

describe('toMapperSet', () => {
  it('reads both forms and leaves other files alone', () => {
    const directory = directoryWith({
      'Lead.json': '{"Email": "email"}',
      'contacts.yaml': 'object: Contact\nfields:\n  Email: email\n',
      'README.md': '# ours',
    });
    expect([...readMappings(directory).keys()]).toEqual(['Lead', 'Contact']);
  });

  it('says that there is none', () => {
    const directory = directoryWith({ 'README.md': '# ours' });
    expect(refusal(directory)).toBe(`The mapping files have one mistake:
  ${directory}:1:1: no mapping file here; a file is named <object>.yaml, <object>.yml, <object>.json`);
  });

  it('says that the directory is not there', () => {
    expect(refusal('/nowhere/mappings')).toBe('/nowhere/mappings cannot be read (ENOENT)');
  });

  it('refuses, at the start, a mapping whose query no URI can hold', () => {
    const lines = Array.from({ length: 400 }, (_, n) => `  A_rather_long_custom_field_name_${n}__c: dataFields.F${n}`);
    const directory = directoryWith({ 'Lead.yaml': `object: Lead\nfields:\n  Email: email\n${lines.join('\n')}\n` });
    expect(refusal(directory)).toMatch(
      /^The mapping files have one mistake:\n {2}Lead\.yaml:1:1: the query is \d+ bytes too long for a URI, with one id: select fewer fields$/,
    );
  });
});
