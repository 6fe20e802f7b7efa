import type { Schema } from './schema.js';
import type { FieldSchema, FieldType, ObjectSchema } from './types.js';

const SOAP_TYPES: Partial<Record<FieldType, string>> = {
  id: 'tns:ID',
  reference: 'tns:ID',
  boolean: 'xsd:boolean',
  int: 'xsd:int',
  double: 'xsd:double',
  currency: 'xsd:double',
  percent: 'xsd:double',
  date: 'xsd:date',
  datetime: 'xsd:dateTime',
  address: 'urn:address',
};

/** The Master record type every object has. */
const MASTER_RECORD_TYPE_ID = '012000000000000AAA';

/** An entry of the global describe, `GET …/sobjects`. */
export function describeGlobalEntry(object: ObjectSchema, version: string) {
  const url = `/services/data/v${version}/sobjects/${object.name}`;
  return {
    name: object.name,
    label: object.label,
    labelPlural: object.labelPlural,
    keyPrefix: object.keyPrefix,
    custom: object.custom,
    customSetting: false,
    queryable: true,
    retrieveable: true,
    replicateable: true,
    searchable: true,
    triggerable: true,
    layoutable: true,
    createable: object.writable,
    updateable: object.writable,
    deletable: isDeletable(object),
    undeletable: isDeletable(object),
    mergeable: object.fields.some((one) => one.name === 'MasterRecordId'),
    urls: { sobject: url, describe: `${url}/describe`, rowTemplate: `${url}/{ID}` },
  };
}

/** The reply of `GET …/sobjects/X/describe`, with visible fields only. Source: facts/salesforce.md §7.2. */
export function describeObject(object: ObjectSchema, schema: Schema, version: string) {
  return {
    ...describeGlobalEntry(object, version),
    recordTypeInfos: [
      {
        active: true,
        available: true,
        defaultRecordTypeMapping: true,
        developerName: 'Master',
        master: true,
        name: 'Master',
        recordTypeId: MASTER_RECORD_TYPE_ID,
      },
    ],
    childRelationships: schema.all().flatMap((child) =>
      schema
        .fields(child)
        .filter((one) => one.referenceTo.includes(object.name))
        .map((one) => ({
          childSObject: child.name,
          field: one.name,
          cascadeDelete: one.cascadeDelete,
          relationshipName: one.cascadeDelete ? child.childRelationshipName : null,
        })),
    ),
    fields: schema.fields(object).map(describeField),
  };
}

function describeField(field: FieldSchema) {
  const isPart = field.compound === 'Name';
  return {
    name: field.name,
    label: field.label,
    type: field.type,
    soapType: SOAP_TYPES[field.type] ?? 'xsd:string',
    length: field.length,
    byteLength: field.length * 3,
    precision: field.precision,
    scale: field.scale,
    digits: field.type === 'int' ? 8 : 0,
    nillable: field.nillable,
    custom: field.custom,
    calculated: field.formula !== null,
    calculatedFormula: field.formula,
    filterable: field.filterable,
    sortable: field.sortable,
    groupable: field.sortable && field.formula === null,
    aggregatable: field.filterable,
    createable: field.createable,
    updateable: field.updateable,
    defaultedOnCreate: field.defaultValue !== null || field.name === 'OwnerId',
    defaultValue: field.defaultValue,
    unique: false,
    externalId: field.externalId,
    idLookup: field.idLookup,
    encrypted: false,
    nameField: field.name === 'Name',
    namePointing: field.referenceTo.length > 1,
    compoundFieldName: field.compound,
    relationshipName: field.relationshipName,
    referenceTo: field.referenceTo,
    polymorphicForeignKey: field.referenceTo.length > 1,
    cascadeDelete: field.cascadeDelete,
    restrictedPicklist: field.restricted,
    picklistValues: field.picklist.map((value) => ({
      value,
      label: value,
      active: true,
      defaultValue: value === field.defaultValue,
      validFor: null,
    })),
    extraTypeInfo: isPart ? 'personname' : null,
    formulaTreatNullNumberAsZero: false,
    queryByDistance: field.type === 'address',
  };
}

function isDeletable(object: ObjectSchema): boolean {
  return object.writable && object.fields.some((one) => one.name === 'IsDeleted');
}
