import {
  accepts,
  possibleTypes,
  toFieldType,
  type FieldType,
  type IncomingType,
  type TypeRules,
} from './field-types.js';
import { isObject, type Decimals, type Json, type JsonObject } from './json.js';

interface Field {
  path: string;
  type: FieldType;
  children: Map<string, Field>;
}

/** A value whose type is not the field's. The field is named, never the user: so does the API. */
export interface Mismatch {
  path: string;
  expectedType: FieldType;
  incomingTypes: readonly IncomingType[];
  offendingValue: Json;
}

/** What becomes of one user's `dataFields`. */
export interface Admission {
  /** The fields that may be written: the input itself where nothing was dropped. */
  fields: JsonObject;
  mismatches: Mismatch[];
  created: string[];
  filtered: string[];
  /** A value longer than the project takes. */
  tooLong: string[];
}

/** Fields of Iterable's own, which a write may not set. Source: facts/iterable.md §4. */
const MANAGED = new Set([
  'itblInternal',
  'itblDS',
  'itblUserId',
  'profileUpdatedAt',
  'signupSource',
  'receivedSMSDisclaimer',
  'subscribedMessageTypeIds',
  'devices',
  'phoneNumberDetails',
  // Not Iterable's: would change a prototype here.
  '__proto__',
]);

const SYSTEM_FIELDS: ReadonlyArray<readonly [string, FieldType]> = [
  ['email', 'string'],
  ['userId', 'string'],
  ['phoneNumber', 'string'],
  ['signupDate', 'date'],
  ['signupSource', 'string'],
  ['profileUpdatedAt', 'date'],
  ['emailListIds', 'long'],
  ['userListIds', 'long'],
  ['subscribedMessageTypeIds', 'long'],
  ['unsubscribedChannelIds', 'long'],
  ['unsubscribedMessageTypeIds', 'long'],
];

/** The project's fields and their types. The first value a field ever gets fixes its type, for good. */
export class FieldRegistry {
  private readonly root = new Map<string, Field>();
  private readonly journal: Array<{ siblings: Map<string, Field>; name: string }> = [];
  private leaves = 0;

  constructor(private readonly maxValueLength: number) {
    for (const [name, type] of SYSTEM_FIELDS) this.add(this.root, '', name, type);
    const internal = this.add(this.root, '', 'itblInternal', 'object');
    this.add(internal.children, 'itblInternal', 'documentCreatedAt', 'date');
    this.add(internal.children, 'itblInternal', 'documentUpdatedAt', 'date');
    this.add(internal.children, 'itblInternal', 'emailDomain', 'string');
  }

  /** Unique fields: leaves; an object counts through what it holds. */
  get size(): number {
    return this.leaves;
  }

  /** Where the registry stands, for {@link rollback}. */
  mark(): number {
    return this.journal.length;
  }

  /** Forgets the fields added since the mark: a refused request fixes no type. */
  rollback(mark: number): void {
    while (this.journal.length > mark) {
      const added = this.journal.pop();
      const field = added?.siblings.get(added.name);
      if (added === undefined || field === undefined) continue;
      added.siblings.delete(added.name);
      if (field.type !== 'object' && field.type !== 'nested') this.leaves -= 1;
    }
  }

  /** Every field with its type, nested ones by dotted path. */
  list(): Record<string, FieldType> {
    const listed: Record<string, FieldType> = {};
    const walk = (fields: Map<string, Field>): void => {
      for (const field of fields.values()) {
        listed[field.path] = field.type;
        walk(field.children);
      }
    };
    walk(this.root);
    return listed;
  }

  /** Checks one user's fields against the types, adding new fields (or dropping them, where `createNew` is off). */
  admit(dataFields: JsonObject, createNew: boolean, rules: TypeRules, decimals: Decimals | null): Admission {
    const admission: Admission = { fields: dataFields, mismatches: [], created: [], filtered: [], tooLong: [] };
    const kept: JsonObject = {};
    let dropped = false;
    for (const name of Object.keys(dataFields)) {
      const value = dataFields[name] ?? null;
      const result = MANAGED.has(name)
        ? undefined
        : this.check(this.root, '', name, value, decimals?.get(dataFields)?.has(name) ?? false, {
            createNew,
            rules,
            decimals,
            admission,
          });
      if (result === undefined) {
        if (MANAGED.has(name)) admission.filtered.push(name);
        dropped = true;
      } else {
        if (result !== value) dropped = true;
        kept[name] = result;
      }
    }
    if (dropped) admission.fields = kept;
    return admission;
  }

  /** The value as it may be stored, or undefined where it is dropped or wrong. */
  private check(
    siblings: Map<string, Field>,
    parent: string,
    name: string,
    value: Json,
    isDecimal: boolean,
    on: { createNew: boolean; rules: TypeRules; decimals: Decimals | null; admission: Admission },
  ): Json | undefined {
    if (value === null) return null;
    const incoming = possibleTypes(name, value, isDecimal, on.rules);
    if (incoming === null) return value;
    let field = siblings.get(name);
    if (field === undefined) {
      const path = parent === '' ? name : `${parent}.${name}`;
      if (!on.createNew) {
        on.admission.filtered.push(path);
        return undefined;
      }
      field = this.add(siblings, parent, name, toFieldType(incoming[0]));
      if (field.type !== 'object') on.admission.created.push(path);
    }
    if (!accepts(field.type, incoming, value, on.rules.coercion)) {
      on.admission.mismatches.push({
        path: field.path,
        expectedType: field.type,
        incomingTypes: incoming,
        offendingValue: value,
      });
      return undefined;
    }
    if (typeof value === 'string' && value.length > this.maxValueLength) on.admission.tooLong.push(field.path);
    if (typeof value !== 'object' || field.type === 'geo_location') return value;
    return this.checkInside(field, value, on);
  }

  private checkInside(field: Field, value: Json[] | JsonObject, on: Parameters<FieldRegistry['check']>[5]): Json {
    if (Array.isArray(value)) {
      return value.some(isObject)
        ? value.map((element) => (isObject(element) ? this.checkInside(field, element, on) : element))
        : value;
    }
    const kept: JsonObject = {};
    let changed = false;
    for (const name of Object.keys(value)) {
      const inner = value[name] ?? null;
      const result =
        name === '__proto__'
          ? undefined
          : this.check(field.children, field.path, name, inner, on.decimals?.get(value)?.has(name) ?? false, on);
      if (result !== undefined) kept[name] = result;
      changed ||= result !== inner;
    }
    return changed ? kept : value;
  }

  private add(siblings: Map<string, Field>, parent: string, name: string, type: FieldType): Field {
    const field: Field = { path: parent === '' ? name : `${parent}.${name}`, type, children: new Map() };
    siblings.set(name, field);
    this.journal.push({ siblings, name });
    if (type !== 'object' && type !== 'nested') this.leaves += 1;
    return field;
  }
}
