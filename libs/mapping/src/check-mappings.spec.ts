import { describe, expect, it } from 'vitest';
import type { CheckedField, CheckedShape, MappingFinding } from './check-finding.js';
import { checkMappings } from './check-mappings.js';
import type { SetRules } from './check-set.js';
import { mappingPlaces } from './mapping-places.js';
import { parseMappingFiles } from './parse-mapping-files.js';
import { resolveMapping } from './resolve-mapping.js';

const field = (name: string, type = 'string', over: Partial<CheckedField> = {}): CheckedField => ({
  name,
  type,
  length: 255,
  calculated: false,
  calculatedFormula: null,
  relationshipName: null,
  referenceTo: [],
  picklistValues: [],
  ...over,
});
const lookup = (name: string, relationshipName: string, ...referenceTo: string[]) =>
  field(name, 'reference', { relationshipName, referenceTo });
const picklist = (name: string, ...values: string[]) =>
  field(name, 'picklist', { picklistValues: values.map((value) => ({ value, active: true })) });

const own = [field('Id', 'id'), field('IsDeleted', 'boolean'), field('SystemModstamp', 'datetime')];
const org: Readonly<Record<string, readonly CheckedField[]>> = {
  Lead: [
    ...own,
    field('Email', 'email'),
    field('FirstName'),
    field('Score__c', 'double', { calculated: true, calculatedFormula: 'Rating' }),
    field('Notes__c', 'textarea', { length: 131_072 }),
    field('LastActivityDate', 'date'),
    field('AnnualRevenue', 'currency'),
    field('NumberOfEmployees', 'int'),
    field('CreatedDate', 'datetime'),
    field('HasOptedOutOfEmail', 'boolean'),
    picklist('Rating', 'Hot', 'Warm', 'Cold'),
    lookup('OwnerId', 'Owner', 'Group', 'User'),
    lookup('Partner__c', 'Partner__r', 'Account'),
  ],
  Contact: [
    ...own,
    field('HasOptedOutOfEmail', 'boolean'),
    field('Email', 'email'),
    lookup('AccountId', 'Account', 'Account'),
    lookup('OwnerId', 'Owner', 'User'),
  ],
  Account: [
    ...own,
    field('Name'),
    field('NumberOfEmployees', 'int'),
    field('Total__c', 'currency', { calculated: true }),
    lookup('OwnerId', 'Owner', 'User'),
  ],
  User: [...own, field('Name'), field('Email', 'email'), field('Department'), lookup('ManagerId', 'Manager', 'User')],
  Group: [...own, field('Name'), field('Email', 'email')],
  Pet__c: [...own, field('Name'), lookup('Vet__c', 'Vet__r', 'Account'), lookup('Human__c', 'Human__r', 'Contact')],
  Thing__c: [...own, field('Email__c', 'email')],
};

/** The findings for some files, `object` named by the file: one line each. */
async function check(
  files: Readonly<Record<string, string>>,
  {
    fields = {},
    rules = {},
    shown = org,
  }: { fields?: Record<string, string>; rules?: Partial<SetRules>; shown?: typeof org } = {},
) {
  const given = Object.entries(files).map(([object, text]) => ({
    name: `${object}.yaml`,
    text: `object: ${object}\n${text}`,
  }));
  const shapes = new Map<string, CheckedShape>();
  const describeObject = async (name: string) => ({ name, fields: shown[name] ?? [] });
  const checked = await Promise.all(
    [...parseMappingFiles(given).values()].map(async (mapping) => ({
      mapping,
      places: mappingPlaces(given.find(({ name }) => name === mapping.file) ?? { name: '', text: '' }),
      resolved: await resolveMapping(mapping, describeObject, shapes),
    })),
  );
  const { errors, warnings } = checkMappings(checked, {
    shapes,
    projectFields: new Map(Object.entries(fields)),
    subscriptions: { channels: new Map([[101, 'News']]), messageTypes: new Map() },
    rules: { owners: true, flagsDeleted: false, ...rules },
  });
  const line = ({ file, line: at, column, code, message, suggestion }: MappingFinding) =>
    `${file}:${at}:${column} ${code} ${message}${suggestion === undefined ? '' : ` -> ${suggestion}`}`;
  return { errors: errors.map(line), warnings: warnings.map(line) };
}
const clean = { errors: [], warnings: [] };

describe('sources', () => {
  const hidden = (source: string) =>
    `mapping.unknown_field the integration user cannot see ${source}: it is gone, misspelt or hidden by field-level security`;

  it.each([
    ['a near miss', 'fields:\n  Emial: email', `3:3 ${hidden('Lead.Emial')} -> Email`],
    ['a custom name without its end', 'fields:\n  Score: dataFields.S', `3:3 ${hidden('Lead.Score')} -> Score__c`],
    [
      'a field of a parent',
      'fields:\n  Partner__r.Nmae: dataFields.P',
      `3:3 ${hidden('Lead.Partner__r.Nmae')} -> Partner__r.Name`,
    ],
    [
      'a relationship',
      'fields:\n  Partnr__r.Name: dataFields.P',
      `3:3 ${hidden('Lead.Partnr__r.Name')} -> Partner__r.Name`,
    ],
    [
      'a relationship without its end',
      'fields:\n  Partner.Name: dataFields.P',
      `3:3 ${hidden('Lead.Partner.Name')} -> Partner__r.Name`,
    ],
    ['one like nothing', 'fields:\n  Favourite__c: dataFields.F', `3:3 ${hidden('Lead.Favourite__c')}`],
    [
      'one that an expression reads',
      'fields:\n  Email: email\ntransform:\n  dataFields.T: $uppercase(FristName)',
      `5:28 ${hidden('Lead.FristName')} -> FirstName`,
    ],
  ])('that the org does not show: %s', async (_, text, line) => {
    expect((await check({ Lead: text })).errors).toEqual([`Lead.yaml:${line}`]);
  });

  it('of an owner that may be a queue: name fields only', async () => {
    const { errors } = await check({
      Lead: 'fields:\n  Owner.Email: email\n  Owner.Department: dataFields.D\n  Owner.Manager.Name: dataFields.M',
    });
    expect(errors).toEqual([
      expect.stringMatching(
        /^Lead\.yaml:4:3 mapping\.polymorphic_field Lead\.Owner may be a Group or User, .* but not "Department"$/,
      ),
      expect.stringMatching(/^Lead\.yaml:5:3 mapping\.polymorphic_field .* but not "Manager"$/),
    ]);
    expect(
      await check({ Contact: 'fields:\n  Owner.Department: dataFields.D\n  Owner.Manager.Name: dataFields.M' }),
    ).toEqual(clean);
  });

  it.each([
    ['Score__c', 'double', '"Score__c" is a formula and'],
    ['LastActivityDate', 'date', '"LastActivityDate" is derived and'],
    [
      'Partner__r.Total__c',
      'double',
      '"Partner__r.Total__c" is calculated by the org (a roll-up summary or the like) and',
    ],
  ])('that raise no change event: %s', async (source, type, words) => {
    expect(await check({ Lead: `fields:\n  ${source}: dataFields.X` }, { fields: { X: type } })).toEqual({
      errors: [],
      warnings: [
        `Lead.yaml:3:3 mapping.calculated_field ${words} raises no change event of its own: it comes with the next change of the Lead; if it must be fresher, run sync backfill start --object Lead by a schedule`,
      ],
    });
  });

  it('longer than Iterable keeps', async () => {
    expect((await check({ Lead: 'fields:\n  Notes__c: dataFields.N' })).warnings).toEqual([
      'Lead.yaml:3:3 mapping.text_shortened "Notes__c" holds up to 131072 characters; what is beyond 32000 is cut off, which is all that Iterable keeps',
    ]);
  });

  it.each([
    ['Human__c', []],
    [
      'Vet__c',
      [
        'Pet__c.yaml:2:24 mapping.no_person_lookup Pet__c.Vet__c leads to Account; what a record belongs to is a Lead or Contact',
      ],
    ],
    [
      'Name',
      [
        'Pet__c.yaml:2:24 mapping.no_person_lookup Pet__c.Name is no lookup; what a record belongs to is a Lead or Contact',
      ],
    ],
  ])('a record belongs to a person: %s', async (source, errors) => {
    const found = await check({
      Pet__c: `identity: { belongsTo: ${source} }\nfields:\n  SystemModstamp: dataFields.At`,
    });
    expect(found.errors).toEqual(errors);
  });
});

describe('values', () => {
  it('of a list that the picklist does not have', async () => {
    const text =
      'fields:\n  Rating: dataFields.R\nvalues:\n  dataFields.R:\n    map:\n      Hot: 1\n      Wram: 2\n      Tepid: 3';
    expect((await check({ Lead: text })).warnings).toEqual([
      'Lead.yaml:8:7 mapping.unknown_value "Wram" is no value of the picklist "Rating", so this line does nothing -> Warm',
      'Lead.yaml:9:7 mapping.unknown_value "Tepid" is no value of the picklist "Rating", so this line does nothing; it has Hot, Warm and Cold',
    ]);
  });

  it('of consent that are hidden: only where the default is to hold', async () => {
    const fields = org['Lead']?.filter(({ name }) => name !== 'HasOptedOutOfEmail') ?? [];
    const hidden = { ...org, Lead: fields };
    expect((await check({ Lead: 'fields:\n  Email: email' }, { shown: hidden })).warnings).toEqual([
      'Lead.yaml:1:9 mapping.consent_hidden the integration user cannot see Lead.HasOptedOutOfEmail, so nobody who opts out in Salesforce is unsubscribed; show it, or say what says no in a consent block',
    ]);
    expect(await check({ Lead: 'fields:\n  Email: email\nconsent: none' }, { shown: hidden })).toEqual(clean);
    expect(await check({ Thing__c: 'fields:\n  Email__c: email' }, { shown: hidden })).toEqual(clean);
  });

  it('of consent that never come', async () => {
    const text =
      'fields:\n  Email: email\nconsent:\n  Rating: { when: cold, unsubscribe: all }\n  HasOptedOutOfEmail: { when: "Yes", unsubscribe: all }';
    expect((await check({ Lead: text })).warnings).toEqual([
      'Lead.yaml:5:19 mapping.unknown_value "cold" is no value of the picklist "Rating", so nobody says no with it -> Cold',
      'Lead.yaml:6:31 mapping.unknown_value "HasOptedOutOfEmail" is a checkbox, so nobody says no with "Yes"; write true or false',
    ]);
  });
});

it('subscriptions that the project does not have', async () => {
  const rules = 'FirstName: { when: no, channels: [101, 110], messageTypes: [7] }';
  expect((await check({ Lead: `fields:\n  Email: email\nconsent:\n  ${rules}` })).errors).toEqual([
    'Lead.yaml:5:3 mapping.unknown_subscription the consent rule of "FirstName" names the channel 110, which the Iterable project does not have; it has 101 (News)',
    'Lead.yaml:5:3 mapping.unknown_subscription the consent rule of "FirstName" names the message type 7, which the Iterable project does not have; it has none',
  ]);
});

describe('targets', () => {
  const revenue = 'fields:\n  AnnualRevenue: dataFields.Company.Revenue';
  const conflict = (line: string, name: string, sent: string, is: string, more = '') =>
    `${line} mapping.type_conflict "dataFields.${name}" is sent as ${sent}, and ${is}, which Iterable never changes${more}; choose another target, or give it that type`;

  it.each([
    [
      'a text where a number is',
      'fields:\n  FirstName: dataFields.F',
      { F: 'long' },
      conflict('3:14', 'F', 'string', 'in Iterable it is long'),
    ],
    [
      'a number where a text is',
      'fields:\n  NumberOfEmployees: dataFields.N',
      { N: 'string' },
      conflict('3:22', 'N', 'long', 'in Iterable it is string'),
    ],
    [
      'decimals where whole numbers are',
      revenue,
      { 'Company.Revenue': 'long' },
      conflict(
        '3:18',
        'Company.Revenue',
        'double',
        'in Iterable it is long',
        ': values with places after the point are refused',
      ),
    ],
    [
      'an object where a value is',
      revenue,
      { Company: 'string', 'Company.Revenue': 'double' },
      conflict('3:18', 'Company', 'object', 'in Iterable it is string'),
    ],
    [
      'a value where an object is',
      'fields:\n  FirstName: dataFields.Name',
      { 'Name.First': 'string' },
      conflict('3:14', 'Name', 'string', 'in Iterable it is object'),
    ],
    [
      'a constant',
      'fields:\n  Email: email\nconstants:\n  dataFields.K: yes-please',
      { K: 'boolean' },
      conflict('5:3', 'K', 'string', 'in Iterable it is boolean'),
    ],
  ])('of another type than Iterable has: %s', async (_, text, fields, line) => {
    expect((await check({ Lead: text }, { fields })).errors).toEqual([`Lead.yaml:${line}`]);
  });

  it.each([
    ['a whole number for a double', 'fields:\n  NumberOfEmployees: dataFields.N', { N: 'double' }],
    ['a type of its own', 'fields:\n  NumberOfEmployees: dataFields.N\ntype:\n  dataFields.N: string', { N: 'string' }],
    ['a date for a date', 'fields:\n  CreatedDate: dataFields.At', { At: 'date' }],
    ['what a transform makes', 'fields:\n  Email: email\ntransform:\n  dataFields.N: FirstName', { N: 'long' }],
    ['identities', 'fields:\n  Email: email\n  Id: userId', { email: 'string', userId: 'string' }],
  ])('that agree: %s', async (_, text, fields) => {
    expect(await check({ Lead: text }, { fields })).toEqual(clean);
  });

  it('of dates, which stay texts in a string', async () => {
    const found = await check({ Lead: 'fields:\n  CreatedDate: dataFields.At' }, { fields: { At: 'string' } });
    expect(found).toEqual({
      errors: [],
      warnings: [
        'Lead.yaml:3:16 mapping.date_as_text "dataFields.At" is sent dates, and in Iterable it is a string: they stay texts there, which no campaign can compare as dates',
      ],
    });
  });

  it('that two mappings give two types', async () => {
    const found = await check({
      Contact: 'fields:\n  Email: dataFields.X',
      Lead: 'fields:\n  NumberOfEmployees: dataFields.X',
    });
    expect(found.errors).toEqual([`Lead.yaml:${conflict('3:22', 'X', 'long', 'Contact.yaml:3 makes it string')}`]);
  });

  it('new, for decimals: once, and not where the field is there', async () => {
    const { warnings } = await check({ Lead: revenue });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Lead\.yaml:3:18 mapping\.new_double "dataFields\.Company\.Revenue" is a new field .* create it in Iterable as double first/,
      ),
    ]);
    expect(await check({ Lead: revenue }, { fields: { 'Company.Revenue': 'double' } })).toEqual(clean);
  });

  it('that differ from a field by letter case, told once', async () => {
    const text = 'fields:\n  FirstName: dataFields.name.First\n  Email: dataFields.name.Mail';
    expect((await check({ Lead: text }, { fields: { 'Name.First': 'string' } })).warnings).toEqual([
      'Lead.yaml:3:14 mapping.near_field "dataFields.name" is a new field; Iterable has one that differs by letter case only, and tells them apart -> dataFields.Name',
    ]);
  });
});

describe('the field budget', () => {
  const project = (count: number) => ({
    object: 'object',
    ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, 'string'])),
  });
  const three = 'fields:\n  Email: email\n  FirstName: dataFields.A\n  Id: dataFields.B\n  Rating: dataFields.f0';

  it.each([
    [798, 'errors', []],
    [798, 'warnings', []],
    [
      799,
      'warnings',
      ['Lead.yaml:5:7 mapping.field_budget the project has 799 profile fields, and the mappings add 2: 801 of 1000'],
    ],
    [998, 'errors', []],
    [
      999,
      'errors',
      [
        'Lead.yaml:5:7 mapping.field_budget the project has 999 profile fields, and the mappings add 2: 1001 of 1000; Iterable refuses every field beyond',
      ],
    ],
    [
      1_200,
      'errors',
      [
        'Lead.yaml:4:14 mapping.field_budget the project has 1200 profile fields, and the mappings add 2: 1202 of 1000; Iterable refuses every field beyond',
      ],
    ],
  ] as const)('with %i fields: %s', async (count, kind, lines) => {
    expect((await check({ Lead: three }, { fields: project(count) }))[kind]).toEqual(lines);
  });

  it('that is used up already stops no mapping that adds nothing', async () => {
    const found = await check({ Lead: 'fields:\n  FirstName: dataFields.f1' }, { fields: project(1_001) });
    expect(found).toEqual({
      errors: [],
      warnings: [
        'Lead.yaml:1:9 mapping.field_budget the project has 1001 profile fields, and the mappings add 0: 1001 of 1000',
      ],
    });
  });
});

describe('the set', () => {
  it('ON_DELETE=flag needs a place for it in every person', async () => {
    const files = {
      Lead: 'fields:\n  Email: email',
      Contact: 'fields:\n  Email: email\n  IsDeleted: dataFields.Gone',
      Pet__c: 'identity: { belongsTo: Human__c }\nfields:\n  SystemModstamp: dataFields.At',
    };
    expect((await check(files, { rules: { flagsDeleted: true } })).errors).toEqual([
      'Lead.yaml:1:9 mapping.no_delete_flag ON_DELETE is flag, but no line says where: map IsDeleted of Lead, e.g. IsDeleted: dataFields.Salesforce.Deleted',
    ]);
    expect((await check(files)).errors).toEqual([]);
  });

  it('change events of more than five objects are told where the sixth comes in', async () => {
    const files = {
      Lead: 'fields:\n  Email: email',
      Contact: 'fields:\n  Email: email\n  Account.Name: dataFields.A\n  Account.Owner.Email: dataFields.O',
      Pet__c: 'identity: { belongsTo: Human__c }\nfields:\n  SystemModstamp: dataFields.At',
      Thing__c: 'fields:\n  Email__c: email',
    };
    expect((await check(files)).warnings).toEqual([
      'Contact.yaml:5:3 mapping.change_events change events of 6 objects are needed (Contact, Lead, Pet__c, Thing__c, Account and User); an org gives 5 without the Change Data Capture add-on',
    ]);
    expect(await check(files, { rules: { owners: false } })).toEqual(clean);
  });
});
