import { describe, expect, it } from 'vitest';
import { checkStructure } from './check-structure.js';

const good = { name: 'Lead.yaml', text: 'object: Lead\nfields:\n  Email: email\n' };
const bad = { name: 'Contact.yaml', text: 'object: Contact\nfields:\n  Email: emial\n' };

describe('checkStructure', () => {
  it('gives the mappings of the files that are right, and the mistakes of the others', () => {
    const { mappings, errors } = checkStructure([good, bad], './mappings');
    expect([...mappings.keys()]).toEqual(['Lead']);
    expect(errors).toEqual([
      expect.objectContaining({
        file: 'Contact.yaml',
        line: 3,
        column: 10,
        code: 'mapping.mistake',
        suggestion: 'email',
      }),
    ]);
  });

  it('of two files for one object takes the first', () => {
    const { mappings, errors } = checkStructure([{ ...good, name: 'People.yaml' }, good], './mappings');
    expect(mappings.get('Lead')?.file).toBe('Lead.yaml');
    expect(errors.map(({ file }) => file)).toEqual(['People.yaml']);
  });

  it('knows what the project needs, where it is told', () => {
    const noEmail = { name: 'Lead.yaml', text: 'object: Lead\nfields:\n  Id: dataFields.Id\n' };
    expect(checkStructure([noEmail], '.').errors).toEqual([]);
    expect(checkStructure([noEmail], '.', { projectType: 'email' }).errors).toHaveLength(1);
  });

  it('finds no file a mistake', () => {
    expect(checkStructure([], './mappings').errors).toEqual([
      expect.objectContaining({ file: './mappings', message: expect.stringContaining('no mapping file here') }),
    ]);
  });
});
