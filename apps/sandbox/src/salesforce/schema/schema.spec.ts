import { describe, expect, it } from 'vitest';
import { describeObject } from './describe.js';
import { Schema } from './schema.js';
import { standardObjects } from './standard-objects.js';

const schema = () => new Schema(standardObjects, () => 1_000);
const lead = (of: Schema) => {
  const object = of.object('lead');
  if (object === null) throw new Error('no Lead');
  return describeObject(object, of, '67.0');
};

describe('the schema', () => {
  it('has the shape of a real one', () => {
    const described = lead(schema());
    const field = (name: string) => described.fields.find((one) => one.name === name);
    expect(described).toMatchObject({
      name: 'Lead',
      keyPrefix: '00Q',
      custom: false,
      queryable: true,
      mergeable: true,
    });
    expect(described.urls.rowTemplate).toBe('/services/data/v67.0/sobjects/Lead/{ID}');
    expect(field('Email')).toMatchObject({
      type: 'email',
      soapType: 'xsd:string',
      length: 80,
      byteLength: 240,
      nillable: true,
      idLookup: true,
    });
    expect(field('OwnerId')).toMatchObject({
      type: 'reference',
      relationshipName: 'Owner',
      referenceTo: ['Group', 'User'],
      polymorphicForeignKey: true,
    });
    expect(field('FirstName')).toMatchObject({ compoundFieldName: 'Name', extraTypeInfo: 'personname', length: 40 });
    expect(field('City')).toMatchObject({ compoundFieldName: 'Address', length: 40 });
    expect(field('Address')).toMatchObject({ type: 'address', queryByDistance: true });
    expect(field('Score__c')).toMatchObject({ type: 'double', calculated: true, custom: true, createable: false });
    expect(field('SystemModstamp')).toMatchObject({ type: 'datetime', createable: false, nillable: false });
    expect(field('Status')?.picklistValues[0]).toEqual({
      value: 'Open - Not Contacted',
      label: 'Open - Not Contacted',
      active: true,
      defaultValue: true,
      validFor: null,
    });
  });

  it('lacks fields hidden by field-level security', () => {
    const veiled = schema();
    veiled.setVisible('Lead', 'HasOptedOutOfEmail', false);
    const has = () => lead(veiled).fields.some((one) => one.name === 'HasOptedOutOfEmail');
    expect(has()).toBe(false);
    veiled.setVisible('lead', 'hasoptedoutofemail', true);
    expect(has()).toBe(true);
  });

  it.each([
    ['Foo', 'Email'],
    ['Lead', 'Foo'],
    ['Lead', 'Id'],
  ])('refuses to hide %s.%s', (object, name) => {
    expect(() => schema().setVisible(object, name, false)).toThrow(`no field ${object}.${name}`);
  });

  it('refuses an object defined twice', () => {
    expect(() => new Schema([...standardObjects, ...standardObjects], () => 0)).toThrow('defined twice');
  });
});
