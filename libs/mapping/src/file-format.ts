import { mergeRules, nullRules, otherRules, valueTypes } from './mapping.js';
import { SOURCE_PATTERN, TARGET_PATTERN } from './paths.js';

/** A JSON Schema, or a part of one. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** API name of an object. */
export const OBJECT_PATTERN = '^[A-Za-z][A-Za-z0-9_]{0,79}$';

const text = { type: 'string', minLength: 1 };
const scalar = { type: ['string', 'number', 'boolean'], minLength: 1 };
const source = { type: 'string', pattern: SOURCE_PATTERN };
const target = { type: 'string', pattern: TARGET_PATTERN };
const profileField = { type: 'string', pattern: `^dataFields\\..` };
const ids = { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1 };

function byTarget(name: JsonSchema, value: JsonSchema): JsonSchema {
  return { type: 'object', propertyNames: name, additionalProperties: value };
}

function block(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema {
  return { type: 'object', additionalProperties: false, required, properties };
}

/** The keys of a mapping file, in the order of its documentation: what each means and may hold. */
export const fileFormat = {
  object: {
    description: 'The Salesforce object that is mapped, by its API name.',
    examples: ['Lead', 'Contact', 'Invoice__c'],
    type: 'string',
    pattern: OBJECT_PATTERN,
  },
  fields: {
    description:
      'Which field goes where: the path of a Salesforce field to email, userId or dataFields.<path>. Owner.Email goes up a lookup.',
    type: 'object',
    minProperties: 1,
    propertyNames: source,
    additionalProperties: target,
  },
  when: {
    description: 'JSONata. Only records for which it is true are sent, e.g. HasLeft__c = false.',
    ...text,
  },
  transform: {
    description: "JSONata by target, over all fields of the record, e.g. FirstName & ' ' & LastName.",
    ...byTarget(target, text),
  },
  constants: {
    description: 'The same value on every profile, by target; null clears the field.',
    ...byTarget(profileField, {
      anyOf: [
        { ...scalar, type: [...scalar.type, 'null'] },
        { type: 'array', items: scalar, minItems: 1 },
      ],
    }),
  },
  type: {
    description:
      'The type that a target has in Iterable; values are converted to it, and one that cannot be stops its record.',
    ...byTarget(profileField, { enum: valueTypes }),
  },
  values: {
    description: 'Value lists for picklists, by target: what each value becomes.',
    ...byTarget(
      profileField,
      block(
        {
          map: {
            description: 'From a value to another; null clears the field.',
            type: 'object',
            minProperties: 1,
            additionalProperties: { ...scalar, type: [...scalar.type, 'null'] },
          },
          others: { description: 'What becomes of a value that is not listed. Default: keep.', enum: otherRules },
        },
        ['map'],
      ),
    ),
  },
  onNull: {
    description: 'What becomes of a target whose value is empty: cleared (the default), or left as it is in Iterable.',
    anyOf: [
      { enum: nullRules },
      {
        type: 'object',
        propertyNames: { anyOf: [{ const: 'default' }, profileField] },
        additionalProperties: { enum: nullRules },
      },
    ],
  },
  merge: {
    description:
      'Objects inside a profile: their fields are merged into those there (the default), or they are replaced whole.',
    enum: mergeRules,
  },
  identity: {
    description: 'For objects whose records are no persons.',
    ...block({
      belongsTo: {
        description: 'The lookup to the Lead or Contact on whose profile the records are written, e.g. Contact__c.',
        ...source,
      },
    }),
  },
  consent: {
    description:
      'Which fields say no, with which value, and to what. It only ever unsubscribes. none: no field does. Default for a Lead or Contact: HasOptedOutOfEmail.',
    anyOf: [
      { const: 'none' },
      {
        type: 'object',
        propertyNames: source,
        additionalProperties: {
          ...block(
            {
              when: {
                description: 'The value of the field that says no, or a list of them.',
                anyOf: [scalar, { type: 'array', items: scalar, minItems: 1 }],
              },
              unsubscribe: { description: 'all: everything that is sent by email for marketing.', enum: ['all'] },
              channels: { description: "Ids of Iterable's channels.", ...ids },
              messageTypes: { description: "Ids of Iterable's message types.", ...ids },
            },
            ['when'],
          ),
          anyOf: [{ required: ['unsubscribe'] }, { required: ['channels'] }, { required: ['messageTypes'] }],
        },
      },
    ],
  },
} as const satisfies Readonly<Record<string, JsonSchema>>;

export type TopKey = keyof typeof fileFormat;

/** The keys of a mapping file. */
export const topKeys = Object.keys(fileFormat) as readonly TopKey[];

/**
 * The JSON Schema of a mapping file in its YAML form, for editors: made of the same table as the parser's keys and words. The
 * parser knows more, such as which targets collide and what an expression reads.
 */
export function mappingSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Mapping file of salesforce-iterable-sync',
    description: 'How the records of one Salesforce object become Iterable users. docs/mapping.md explains it.',
    type: 'object',
    additionalProperties: false,
    required: ['object', 'fields'],
    properties: fileFormat,
  };
}
