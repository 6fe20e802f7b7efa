import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { compileMapping } from './compile-mapping.js';
import { mappingSchema } from './file-format.js';
import { describeMistake } from './mapping.js';
import { parseMapping } from './parse-mapping.js';
import { parseMappingFiles } from './parse-mapping-files.js';

const directory = join(import.meta.dirname, '../../../mappings');
const files = readdirSync(directory).map((name) => ({ name, text: readFileSync(join(directory, name), 'utf8') }));

describe('the shipped mappings', () => {
  const mappings = parseMappingFiles(files, { projectType: 'email' });

  it('are right for a project of any type', () => {
    expect([...mappings.keys()]).toEqual(['Contact', 'Lead']);
  });

  it('flag a deleted record, and unsubscribe who opted out', () => {
    for (const mapping of mappings.values()) {
      expect(compileMapping(mapping)).toMatchObject({
        flagFields: { Salesforce: { Deleted: true } },
        consentSources: ['HasOptedOutOfEmail'],
      });
    }
  });

  it('ask no Lead owner for what a queue does not have', () => {
    for (const mapping of mappings.values()) {
      const { object, select } = compileMapping(mapping);
      expect(select.includes('Owner.SystemModstamp')).toBe(object === 'Contact');
    }
  });
});

describe('the JSON Schema', () => {
  const schema = z.fromJSONSchema(mappingSchema());
  const page = readFileSync(join(directory, '../docs/mapping.md'), 'utf8');
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);

  it('knows more than a handful of examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(9);
  });

  it.each([...files.map(({ text }) => text), ...examples])(
    'takes what is shipped and documented, like the parser: %s',
    (text) => {
      expect(schema.safeParse(parse(text)).error).toBeUndefined();
      const parsed = parseMapping('x.yaml', text);
      expect(Array.isArray(parsed) ? parsed.map(describeMistake) : []).toEqual([]);
    },
  );

  const fields = { Email: 'email', A__c: 'dataFields.A' };
  it.each([
    [{ object: 'Lead' }],
    [{ object: 'My Lead', fields }],
    [{ object: 'Lead', fields: {} }],
    [{ object: 'Lead', fields: { Email: 'emial' } }],
    [{ object: 'Lead', fields: { 'E mail': 'email' } }],
    [{ object: 'Lead', fields, feilds: {} }],
    [{ object: 'Lead', fields, when: '' }],
    [{ object: 'Lead', fields, transform: { 'dataFields.B': 5 } }],
    [{ object: 'Lead', fields, constants: { email: 'a@b.co' } }],
    [{ object: 'Lead', fields, constants: { 'dataFields.B': [] } }],
    [{ object: 'Lead', fields, type: { 'dataFields.A': 'integer' } }],
    [{ object: 'Lead', fields, values: { 'dataFields.A': { map: {} } } }],
    [{ object: 'Lead', fields, values: { 'dataFields.A': { map: { x: 1 }, others: 'drop' } } }],
    [{ object: 'Lead', fields, onNull: { email: 'omit' } }],
    [{ object: 'Lead', fields, merge: 'replaced' }],
    [{ object: 'Item__c', fields, identity: { belongTo: 'Contact__c' } }],
    [{ object: 'Lead', fields, consent: 'all' }],
    [{ object: 'Lead', fields, consent: { No__c: { channels: [1] } } }],
    [{ object: 'Lead', fields, consent: { No__c: { when: true, channels: ['news'] } } }],
  ])('refuses what the parser refuses: %j', (file) => {
    expect(schema.safeParse(file).success).toBe(false);
    expect(Array.isArray(parseMapping('x.yaml', JSON.stringify(file)))).toBe(true);
  });
});
