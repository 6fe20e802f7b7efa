/** Describe types the sandbox knows. Source: facts/salesforce.md §7.2. */
export type FieldType =
  | 'id'
  | 'string'
  | 'textarea'
  | 'email'
  | 'phone'
  | 'url'
  | 'picklist'
  | 'multipicklist'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'reference'
  | 'address';

/** One field of an object: what describe shows of it, how it is stored, and how change events carry it. */
export interface FieldSchema {
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
  /** Most characters of a text; 0 for other types. */
  readonly length: number;
  readonly precision: number;
  readonly scale: number;
  readonly custom: boolean;
  readonly nillable: boolean;
  readonly createable: boolean;
  readonly updateable: boolean;
  readonly filterable: boolean;
  readonly sortable: boolean;
  readonly idLookup: boolean;
  readonly externalId: boolean;
  readonly picklist: readonly string[];
  /** A picklist that refuses values that are not in it. */
  readonly restricted: boolean;
  readonly defaultValue: string | number | boolean | null;
  readonly referenceTo: readonly string[];
  readonly relationshipName: string | null;
  /** Deleting the referenced record deletes this one too. */
  readonly cascadeDelete: boolean;
  /** The compound field this one is a part of, e.g. `Name` or `MailingAddress`. */
  readonly compound: string | null;
  /** Its name inside the compound value of a change event, e.g. `City` for `MailingCity`. */
  readonly part: string | null;
  /** SQL of a computed field; such a field cannot be written. */
  readonly computed: string | null;
  /** The formula text describe shows; only custom formula fields have one. */
  readonly formula: string | null;
  /** Whether change events may carry it. Source: facts/salesforce.md §1.5, "Never in events". */
  readonly inEvents: boolean;
}

/** One object of the org. */
export interface ObjectSchema {
  readonly name: string;
  readonly label: string;
  readonly labelPlural: string;
  /** First three characters of its record ids. */
  readonly keyPrefix: string;
  readonly custom: boolean;
  /** Name of the list of its records on a parent, e.g. `Contacts` on Account. */
  readonly childRelationshipName: string | null;
  readonly fields: readonly FieldSchema[];
  /** Whether it can be created, changed and deleted through the API of the sandbox. */
  readonly writable: boolean;
}

/** Shorthand for a field: everything not said follows from the type. */
export type FieldOptions = Partial<Omit<FieldSchema, 'name' | 'type'>>;

const TEXT_LENGTHS: Partial<Record<FieldType, number>> = {
  id: 18,
  reference: 18,
  string: 255,
  email: 80,
  phone: 40,
  url: 255,
  picklist: 255,
  multipicklist: 4099,
  textarea: 255,
};

/** Builds a field; `label` is the name with spaces unless given. */
export function field(name: string, type: FieldType, options: FieldOptions = {}): FieldSchema {
  const computed = options.computed ?? null;
  const writable = computed === null && type !== 'address' && type !== 'id';
  const long = type === 'textarea' && (options.length ?? 255) > 255;
  return {
    name,
    label: options.label ?? labelOf(name, type),
    type,
    length: TEXT_LENGTHS[type] ?? 0,
    precision: type === 'double' || type === 'currency' || type === 'percent' ? 18 : 0,
    scale: type === 'double' || type === 'percent' ? 2 : 0,
    custom: name.endsWith('__c'),
    nillable: type !== 'boolean' && type !== 'id',
    createable: writable,
    updateable: writable,
    filterable: !long && type !== 'address',
    sortable: !long && type !== 'address' && type !== 'multipicklist',
    idLookup: type === 'email' || type === 'id',
    externalId: false,
    picklist: [],
    restricted: false,
    defaultValue: type === 'boolean' ? false : null,
    referenceTo: [],
    relationshipName: null,
    cascadeDelete: false,
    compound: null,
    part: null,
    computed,
    formula: null,
    inEvents: type !== 'id' && (computed === null || name.endsWith('__c')),
    ...options,
  };
}

/** A lookup field. `relationshipName` is the field's name without `Id` (`__c` becomes `__r`) unless given. */
export function reference(name: string, to: readonly string[], options: FieldOptions = {}): FieldSchema {
  const relationshipName = name.endsWith('__c') ? name.replace(/__c$/, '__r') : name.replace(/Id$/, '');
  return field(name, 'reference', { referenceTo: to, relationshipName, ...options });
}

function labelOf(name: string, type: FieldType): string {
  const words = name
    .replace(/__c$/, '')
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2');
  return type === 'reference' || type === 'id' ? words.replace(/ ?Id$/, ' ID').trim() : words;
}
