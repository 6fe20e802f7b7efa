import { changeTypes } from '../events/change-event.js';
import { isAddress, slotType, type EventField, type EventLayout } from './event-layout.js';

const texts = { type: 'array', items: 'string' } as const;

/** Source: facts/salesforce.md §2.3. The order of the symbols is not documented. */
const HEADER = {
  type: 'record',
  name: 'ChangeEventHeader',
  fields: [
    { name: 'entityName', type: 'string' },
    { name: 'recordIds', type: texts },
    { name: 'changeType', type: { type: 'enum', name: 'ChangeType', symbols: [...changeTypes, 'SNAPSHOT'] } },
    { name: 'changeOrigin', type: 'string' },
    { name: 'transactionKey', type: 'string' },
    { name: 'sequenceNumber', type: 'int' },
    { name: 'commitTimestamp', type: 'long' },
    { name: 'commitNumber', type: 'long' },
    { name: 'commitUser', type: 'string' },
    { name: 'nulledFields', type: texts },
    { name: 'diffFields', type: texts },
    { name: 'changedFields', type: texts },
  ],
};

const nullable = (name: string, type: unknown) => ({ name, type: ['null', type], default: null });

/** The Avro schema of an entity's change event, ready for `JSON.stringify`. */
export function avroSchemaOf(layout: EventLayout): object {
  const defined = new Set<string>();
  return {
    type: 'record',
    name: layout.recordName,
    namespace: 'com.sforce.eventbus',
    fields: [
      { name: 'ChangeEventHeader', type: HEADER },
      ...layout.fields.map((one) => nullable(one.name, one.parts === null ? slotType(one) : compound(one, defined))),
    ],
  };
}

/** Avro defines a named record once and refers to it by name after that. */
function compound(field: EventField, defined: Set<string>): unknown {
  const name = isAddress(field.name) ? 'Address' : `Person${field.name}`;
  if (defined.has(name)) return name;
  defined.add(name);
  return { type: 'record', name, fields: (field.parts ?? []).map((part) => nullable(part.name, slotType(part))) };
}
