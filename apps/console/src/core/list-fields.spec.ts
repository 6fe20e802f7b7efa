import { describe, expect, it } from 'vitest';
import type { Mapping } from '@libs/mapping';
import { listFields, type ListedShape } from './list-fields.js';

type Field = ListedShape['fields'][number];
const field = (name: string, over: Partial<Field> = {}): Field => ({
  name,
  label: name,
  type: 'string',
  length: 40,
  calculated: false,
  calculatedFormula: null,
  relationshipName: null,
  referenceTo: [],
  picklistValues: [],
  ...over,
});
const shape = (name: string, ...fields: Field[]): ListedShape => ({ name, label: `${name}s`, fields });
const lead = shape(
  'Lead',
  field('FirstName'),
  field('Rating', {
    type: 'picklist',
    picklistValues: [
      { value: 'Hot', active: true },
      { value: 'Tepid', active: false },
    ],
  }),
  field('Score__c', { type: 'double', calculated: true, calculatedFormula: 'Rating' }),
  field('Total__c', { type: 'currency', calculated: true }),
  field('OwnerId', { type: 'reference', relationshipName: 'Owner', referenceTo: ['Group', 'User'] }),
  field('PartnerId', { type: 'reference', relationshipName: 'Partner', referenceTo: ['Account'] }),
);
const user = shape(
  'User',
  field('Email'),
  field('Department'),
  field('ManagerId', { relationshipName: 'Manager', referenceTo: ['User'] }),
);
const group = shape('Group', field('Email'), field('DeveloperName'));
const account = shape('Account', field('Name'), field('OwnerId', { relationshipName: 'Owner', referenceTo: ['User'] }));
const all = new Map([lead, user, group, account].map((one) => [one.name, one]));
const mapping: Mapping = {
  file: 'Lead.yaml',
  object: 'Lead',
  fields: [{ source: 'FirstName', target: 'dataFields.First' }],
  transform: new Map([['dataFields.Both', 'FirstName & Partner.Name & FirstName']]),
};
const list = (depth: number, shapes: ReadonlyMap<string, ListedShape> = all, mapped?: Mapping) => {
  const listed = listFields('Lead', depth, shapes, mapped);
  if ('missing' in listed) throw new Error(`missing: ${listed.missing.join(', ')}`);
  return listed;
};

describe('listFields', () => {
  it('tells type, length, active values and what is calculated', () => {
    const { label, fields } = list(0);
    expect(label).toBe('Leads');
    expect(fields.map(({ path, length, values, calculated }) => [path, length, values, calculated])).toEqual([
      ['FirstName', 40, null, null],
      ['Rating', null, ['Hot'], null],
      ['Score__c', null, null, 'formula'],
      ['Total__c', null, null, 'roll-up'],
      ['OwnerId', null, null, null],
      ['PartnerId', null, null, null],
    ]);
  });

  it('tells what shows a field already: lines and transforms, each once', () => {
    const { file, fields } = list(1, all, mapping);
    expect(file).toBe('Lead.yaml');
    const mapped = fields.flatMap(({ path, mappedTo }) => (mappedTo.length === 0 ? [] : [[path, mappedTo]]));
    expect(mapped).toEqual([
      ['FirstName', ['dataFields.First', 'dataFields.Both']],
      ['Partner.Name', ['dataFields.Both']],
    ]);
  });

  it('goes up lookups; of one to several objects it shows name fields only, and goes no further', () => {
    const up = ({ fields }: ReturnType<typeof list>) =>
      fields.map(({ path }) => path).filter((path) => path.includes('.'));
    expect(up(list(1))).toEqual(['Owner.Email', 'Partner.Name', 'Partner.OwnerId']);
    expect(up(list(2))).toEqual([
      'Owner.Email',
      'Partner.Name',
      'Partner.OwnerId',
      'Partner.Owner.Email',
      'Partner.Owner.Department',
      'Partner.Owner.ManagerId',
    ]);
    expect(list(1).parents).toEqual([
      { path: 'Owner', objects: ['Group', 'User'] },
      { path: 'Partner', objects: ['Account'] },
      { path: 'Partner.Owner', objects: ['User'] },
    ]);
  });

  it('names what it has to know first', () => {
    expect(listFields('Lead', 1, new Map())).toEqual({ missing: ['Lead'] });
    expect(listFields('Lead', 1, new Map([['Lead', lead]]))).toEqual({ missing: ['Group', 'User', 'Account'] });
  });
});
