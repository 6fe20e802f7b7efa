import type avro from 'avsc';
import type { ChangeEvent } from '../events/change-event.js';
import { schemaId } from '../schema/schema-id.js';
import type { Schema } from '../schema/schema.js';
import type { ObjectSchema } from '../schema/types.js';
import { avroSchemaOf } from './avro-schema.js';
import { avroTypeOfSchema, avroValueOf } from './avro-event.js';
import { layoutOf, type EventLayout } from './event-layout.js';

/** An Avro schema of the org. */
export interface EventSchema {
  readonly id: string;
  readonly json: string;
  readonly layout: EventLayout;
  readonly type: avro.Type;
}

/**
 * The Avro schemas of the org, by id. An entity's id changes when its fields do; every id that was ever told stays known, so
 * that a client may look up the schema of an old event.
 */
export class EventSchemas {
  private readonly byId = new Map<string, EventSchema>();

  constructor(private readonly schema: Schema) {}

  /** The schema that an entity's events have now. */
  of(object: ObjectSchema): EventSchema {
    const id = schemaId(object, this.schema);
    const known = this.byId.get(id);
    if (known !== undefined) return known;
    const layout = layoutOf(object, this.schema.fields(object));
    const avroSchema = avroSchemaOf(layout);
    const made = { id, json: JSON.stringify(avroSchema), layout, type: avroTypeOfSchema(avroSchema) };
    this.byId.set(id, made);
    return made;
  }

  byIdOf(id: string): EventSchema | null {
    return this.byId.get(id) ?? null;
  }

  /** An event in Avro binary, with the id of its schema. */
  encode(event: ChangeEvent): { schemaId: string; payload: Buffer } {
    const object = this.schema.object(event.entity);
    if (object === null) throw new Error(`an event of ${event.entity}, which the org does not have`);
    const { id, layout, type } = this.of(object);
    return { schemaId: id, payload: type.toBuffer(avroValueOf(event, layout)) };
  }
}
