import { describe, expect, it } from 'vitest';
import { describeMistake } from './mapping.js';
import { parseMapping } from './parse-mapping.js';

function mistakesOf(file: string, text: string): string[] {
  const parsed = parseMapping(file, text);
  return Array.isArray(parsed) ? parsed.map(describeMistake) : [];
}

describe('parseMapping', () => {
  it('reads the YAML form, comments, quotes and anchors included', () => {
    const text = `
# Leads
object: Lead
fields:
  Email: email       # the key
  "FirstName": 'dataFields.Name.First'
  LastName: &last dataFields.Name.Last
`;
    expect(parseMapping('Lead.yaml', text)).toEqual({
      file: 'Lead.yaml',
      object: 'Lead',
      fields: [
        { source: 'Email', target: 'email' },
        { source: 'FirstName', target: 'dataFields.Name.First' },
        { source: 'LastName', target: 'dataFields.Name.Last' },
      ],
    });
  });

  it.each([
    ['plain, the object named by the file', '{\n\t"Email": "email",\n\t"Account.Name": "dataFields.Company.Name"\n}'],
    ['long', '{"object": "Contact", "fields": {"Email": "email", "Account.Name": "dataFields.Company.Name"}}'],
  ])('reads the JSON form: %s', (_form, text) => {
    expect(parseMapping('Contact.json', text)).toEqual({
      file: 'Contact.json',
      object: 'Contact',
      fields: [
        { source: 'Email', target: 'email' },
        { source: 'Account.Name', target: 'dataFields.Company.Name' },
      ],
    });
  });

  it('lists every mistake of a file, in its order, with line, column and what was meant', () => {
    const text = `object: lead
filters: Status != 'Closed'
feilds: {}
fields:
  Email: emial
  Account..Name: dataFields.Company.Name
  A.B.C.D.E.F.G: dataFields.Deep
  OwnerId.Email: dataFields.Owner.Email
  FirstName: Name.First
  LastName: dataFields.Name.First
  Title: dataFields.Name.First
  MiddleName: dataFields.Name.First.Middle
  Phone: [dataFields.Phone, dataFields.Tel]
  Status: dataFields.Lead Status
  Website: dataFields.signupSource
  title: dataFields.Job
  Title: dataFields.Role
`;
    expect(mistakesOf('Lead.yaml', text)).toEqual([
      'Lead.yaml:1:9: "lead" is spelled wrongly; did you mean "Lead"?',
      'Lead.yaml:2:1: unknown key "filters"; the keys are object, fields, when, transform, constants, type, values, onNull, merge, identity and consent',
      'Lead.yaml:3:1: unknown key "feilds"; did you mean "fields"?',
      'Lead.yaml:5:10: "emial" is no target; a target is email, userId or dataFields.<path>; did you mean "email"?',
      'Lead.yaml:6:3: "Account..Name" is not the path of a Salesforce field; did you mean "Account.Name"?',
      'Lead.yaml:7:3: "A.B.C.D.E.F.G" goes up 6 relationships; SOQL allows 5',
      'Lead.yaml:8:3: "OwnerId" is a field, not a relationship, so nothing can follow it; did you mean "Owner.Email"?',
      'Lead.yaml:9:14: "Name.First" is no target; a target is email, userId or dataFields.<path>; did you mean "dataFields.Name.First"?',
      'Lead.yaml:11:10: "dataFields.Name.First" is already filled from "LastName" on line 10',
      'Lead.yaml:12:15: "dataFields.Name.First.Middle" is inside "dataFields.Name.First", which line 10 makes a single value',
      'Lead.yaml:13:10: the target of "Phone" must be one text: email, userId or dataFields.<path>',
      'Lead.yaml:14:11: "dataFields.Lead Status" has a name that is not letters, digits and underscores, beginning with a letter',
      'Lead.yaml:15:12: "dataFields.signupSource" is kept by Iterable itself and cannot be written',
      'Lead.yaml:16:3: "title" is the same field as "Title" on line 11',
      'Lead.yaml:17:3: "Title" is written twice, first on line 11',
    ]);
  });

  const noObject = 'the key "object" is missing: which Salesforce object is mapped, e.g. object: Contact';
  const noFields = 'the key "fields" is missing: which field goes where, e.g. Email: email';
  it.each([
    ['Lead.yaml', '', ['Lead.yaml:1:1: the file is empty']],
    ['Lead.yaml', '# nothing yet\n', ['Lead.yaml:1:1: the file is not an object of keys and values']],
    ['Lead.yaml', '- Email: email\n', ['Lead.yaml:1:1: the file is not an object of keys and values']],
    ['Lead.yaml', '{}', [`Lead.yaml:1:1: ${noObject}`, `Lead.yaml:1:1: ${noFields}`]],
    ['Lead.yaml', 'object: Lead\n', [`Lead.yaml:1:1: ${noFields}`]],
    ['Lead.yaml', 'fields:\n  Email: email\n', [`Lead.yaml:1:1: ${noObject}`]],
    [
      'Lead.yaml',
      'object: Lead\nfields:\n',
      ['Lead.yaml:2:8: "fields" must be a block of lines, source path to target path'],
    ],
    ['Lead.yaml', 'object: Lead\nfields: {}\n', ['Lead.yaml:2:1: "fields" is empty: map one field at least']],
    [
      'Lead.yaml',
      'object: [Lead]\nfields:\n  Email: email\n',
      ['Lead.yaml:1:9: "object" must be the API name of one Salesforce object, e.g. Contact'],
    ],
    [
      'Lead.yaml',
      'object: My Object\nfields:\n  Email: email\n',
      ['Lead.yaml:1:9: "My Object" is not the API name of a Salesforce object'],
    ],
    [
      'Lead.yaml',
      'object: Lead\nfields:\n  Email: email\n  Phone:\n',
      ['Lead.yaml:4:9: the target of "Phone" must be one text: email, userId or dataFields.<path>'],
    ],
    [
      'Lead.yaml',
      'object: Lead\nfeilds:\n  Email: email\n',
      ['Lead.yaml:2:1: unknown key "feilds"; did you mean "fields"?'],
    ],
    [
      'Lead.yaml',
      'object: Lead\nobject: Contact\nfields:\n  Email: email\n',
      ['Lead.yaml:2:1: "object" is written twice, first on line 1'],
    ],
    ['Lead.yaml', 'object: L\uFFFDad\nfields:\n  Email: email\n', ['Lead.yaml:1:10: the file is not UTF-8 text']],
    [
      'My Lead.json',
      '{"Email": "email"}',
      ['My Lead.json:1:1: the name of the file is not the API name of a Salesforce object'],
    ],
    [
      'contact.json',
      '{"Email": "email"}',
      ['contact.json:1:1: the name of the file is spelled wrongly; did you mean "Contact"?'],
    ],
    ['Lead.json', '{}', ['Lead.json:1:1: no field is mapped']],
    ['Lead.json', 'Email: email\n', ['Lead.json:1:1: is not JSON; give it the ending .yaml if it is YAML']],
    [
      'Lead.json',
      '{"Email": "email", "Email": "userId"}',
      ['Lead.json:1:20: "Email" is written twice, first on line 1'],
    ],
  ])('%s %j', (file, text, mistakes) => {
    expect(mistakesOf(file, text)).toEqual(mistakes);
  });

  it.each([
    ['a tab as indentation', 'object: Lead\nfields:\n\tEmail: email\n', 'Lead.yaml:3:1: cannot be read as YAML: '],
    ['two documents', 'object: Lead\n---\nobject: Contact\n', 'Lead.yaml:2:1: cannot be read as YAML: '],
    ['an open quote', 'object: "Lead\nfields:\n  Email: email\n', 'Lead.yaml:4:1: cannot be read as YAML: '],
  ])('says where the YAML breaks: %s', (_what, text, start) => {
    const [first = ''] = mistakesOf('Lead.yaml', text);
    expect(first.slice(0, start.length)).toBe(start);
  });

  it('refuses more relationships than SOQL takes in one query', () => {
    const lines = Array.from({ length: 56 }, (_, index) => `  P${index}__r.Name: dataFields.P${index}`);
    expect(mistakesOf('Lead.yaml', `object: Lead\nfields:\n${lines.join('\n')}\n`)).toEqual([
      'Lead.yaml:3:3: 56 relationships are read; SOQL allows 55 in one query',
    ]);
  });
});
