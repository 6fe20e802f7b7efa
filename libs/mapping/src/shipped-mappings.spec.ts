import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileMapping } from './compile-mapping.js';
import { parseMappingFiles } from './parse-mapping-files.js';

const directory = join(import.meta.dirname, '../../../mappings');
const files = readdirSync(directory).map((name) => ({ name, text: readFileSync(join(directory, name), 'utf8') }));

describe('the shipped mappings', () => {
  const mappings = parseMappingFiles(files, { projectType: 'email' });

  it('are right for a project of any type', () => {
    expect([...mappings.keys()]).toEqual(['Contact', 'Lead']);
  });

  it('ask no Lead owner for what a queue does not have', () => {
    for (const mapping of mappings.values()) {
      const { object, select } = compileMapping(mapping);
      expect(select.includes('Owner.SystemModstamp')).toBe(object === 'Contact');
    }
  });
});
