import { describe, expect, it } from 'vitest';
import { MappingFilesError } from './mapping.js';
import { parseMappingFiles } from './parse-mapping-files.js';

const lead = { name: 'Lead.yaml', text: 'object: Lead\nfields:\n  Email: email\n' };
const contact = { name: 'Contact.json', text: '{"Email": "email"}' };

function refusal(files: Parameters<typeof parseMappingFiles>[0], projectType?: 'email' | 'user-id' | 'hybrid'): string {
  try {
    parseMappingFiles(files, { projectType });
  } catch (error) {
    if (error instanceof MappingFilesError) return error.message;
    throw error;
  }
  throw new Error('not refused');
}

describe('parseMappingFiles', () => {
  it('gives the mappings by object', () => {
    expect([...parseMappingFiles([lead, contact], { projectType: 'email' }).keys()]).toEqual(['Contact', 'Lead']);
  });

  it('refuses two files for one object, whatever their order', () => {
    const second = { name: 'Prospects.yaml', text: lead.text };
    const message = `The mapping files have one mistake:
  Prospects.yaml:1:1: Lead is already mapped by Lead.yaml; one object, one file`;
    expect(refusal([lead, second])).toBe(message);
    expect(refusal([second, lead])).toBe(message);
  });

  it('tells the mistakes of all files together', () => {
    expect(
      refusal([
        { name: 'Lead.yaml', text: 'object: Lead\nfelds:\n  Email: email\n' },
        { name: 'Contact.json', text: '{"Email": "emails", "Title": 5}' },
      ]),
    ).toBe(`The mapping files have 3 mistakes:
  Contact.json:1:11: "emails" is no target; a target is email, userId or dataFields.<path>; did you mean "email"?
  Contact.json:1:30: the target of "Title" must be one text: email, userId or dataFields.<path>
  Lead.yaml:2:1: unknown key "felds"; did you mean "fields"?`);
  });

  const nameless = { name: 'Lead.yaml', text: 'object: Lead\nfields:\n  Title: dataFields.Title\n' };
  it('needs no email of rows that belong to a person', () => {
    const text = 'object: Member__c\nidentity: { belongsTo: Contact__c }\nfields:\n  Plan__c: dataFields.Plan\n';
    const set = parseMappingFiles([{ name: 'Member__c.yaml', text }], { projectType: 'email' });
    expect([...set.keys()]).toEqual(['Member__c']);
  });

  it('needs an email of every mapping where the project knows its users by email', () => {
    expect(refusal([nameless], 'email')).toBe(`The mapping files have one mistake:
  Lead.yaml:1:1: no field is mapped to email, and this Iterable project knows its users by email`);
  });

  it.each(['user-id', 'hybrid', undefined] as const)('needs none with the project type %s', (projectType) => {
    expect(parseMappingFiles([nameless], { projectType }).size).toBe(1);
  });

  it('takes no file at all as nothing mapped', () => {
    expect(parseMappingFiles([]).size).toBe(0);
  });
});
