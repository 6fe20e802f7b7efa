import { UnknownNameError } from '../errors.js';
import type { FieldSchema, ObjectSchema } from './types.js';

/** Fields that an administrator made invisible to the integration user, per object name. */
export type HiddenFields = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The org's objects as the integration user sees them. Names are found in any case, as Salesforce does. A field hidden by
 * field-level security is absent everywhere: describe, queries, writes and events. Source: facts/salesforce.md §7.2.
 */
export class Schema {
  private readonly objects = new Map<string, ObjectSchema>();
  private readonly fieldsOf = new Map<string, Map<string, FieldSchema>>();
  private readonly hidden = new Map<string, Set<string>>();
  /** Epoch milliseconds of the last change, for `If-Modified-Since` of describe. */
  changedAt: number;
  /** Grows with every change. */
  revision = 0;

  constructor(
    objects: readonly ObjectSchema[],
    private readonly now: () => number,
  ) {
    this.changedAt = now();
    for (const object of objects) {
      if (this.objects.has(object.name.toLowerCase())) throw new Error(`object ${object.name} is defined twice`);
      this.objects.set(object.name.toLowerCase(), object);
      this.fieldsOf.set(object.name, new Map(object.fields.map((one) => [one.name.toLowerCase(), one])));
    }
  }

  all(): ObjectSchema[] {
    return [...this.objects.values()];
  }

  object(name: string): ObjectSchema | null {
    return this.objects.get(name.toLowerCase()) ?? null;
  }

  /** The object whose record ids begin like this one; `null` when there is none. */
  objectOfId(id: string): ObjectSchema | null {
    return this.all().find((one) => id.startsWith(one.keyPrefix)) ?? null;
  }

  /** The field if it exists and is visible. */
  field(object: ObjectSchema, name: string): FieldSchema | null {
    const found = this.fieldsOf.get(object.name)?.get(name.toLowerCase());
    return found !== undefined && this.isVisible(object, found) ? found : null;
  }

  /** Visible fields in schema order. */
  fields(object: ObjectSchema): FieldSchema[] {
    return object.fields.filter((one) => this.isVisible(object, one));
  }

  /** The lookup field behind a relationship name such as `Owner` or `Parent__r`. */
  relationship(object: ObjectSchema, name: string): FieldSchema | null {
    const wanted = name.toLowerCase();
    return this.fields(object).find((one) => one.relationshipName?.toLowerCase() === wanted) ?? null;
  }

  isVisible(object: ObjectSchema, one: FieldSchema): boolean {
    return this.hidden.get(object.name)?.has(one.name) !== true;
  }

  /** Hides or shows a field. Throws on an unknown object or field, and on `Id`, which cannot be hidden. */
  setVisible(objectName: string, fieldName: string, visible: boolean): void {
    const object = this.object(objectName);
    const found = object && this.fieldsOf.get(object.name)?.get(fieldName.toLowerCase());
    if (!object || !found || found.type === 'id')
      throw new UnknownNameError(`no field ${objectName}.${fieldName} to hide or show`);
    const set = this.hidden.get(object.name) ?? new Set<string>();
    if (visible) set.delete(found.name);
    else set.add(found.name);
    this.hidden.set(object.name, set);
    this.changedAt = this.now();
    this.revision += 1;
  }
}
