import { BadSettingError } from '@libs/contracts';

/** One line of a mapping: where a value comes from and where it goes. */
export interface FieldMapping {
  /** Path of a Salesforce field from the mapped object, relationships first, e.g. `Account.Name`. */
  readonly source: string;
  /** `email`, `userId` or `dataFields.<path>`. */
  readonly target: string;
}

/** A plain value that a mapping file can write down. */
export type Scalar = string | number | boolean;

/** Types that a target may be given; `list`: a multi-select `A;B` as an array of texts. */
export const valueTypes = ['string', 'long', 'double', 'boolean', 'date', 'list'] as const;
export type ValueType = (typeof valueTypes)[number];

/** What becomes of a target whose value is empty: Iterable clears the field, or keeps what it has. */
export const nullRules = ['clear', 'omit'] as const;
export type NullRule = (typeof nullRules)[number];

/** What becomes of an object inside a profile: its fields are merged into the one there, or it is replaced whole. */
export const mergeRules = ['merge', 'replace'] as const;
export type MergeRule = (typeof mergeRules)[number];

/** What becomes of a value that a value list does not name. */
export const otherRules = ['keep', 'clear'] as const;
export type OtherRule = (typeof otherRules)[number];

/** A value list: what each value of a picklist becomes, by its text. */
export interface ValueList {
  readonly map: ReadonlyMap<string, Scalar | null>;
  readonly others: OtherRule;
}

/** A field that says "no" with one of some values, and to what. */
export interface ConsentRule {
  readonly source: string;
  readonly when: readonly Scalar[];
  /** Everything that is sent by email for marketing. */
  readonly allMarketing: boolean;
  readonly channelIds: readonly number[];
  readonly messageTypeIds: readonly number[];
}

/** How one Salesforce object becomes an Iterable user: a checked mapping file. A block that the file does not have is absent. */
export interface Mapping {
  /** Name of the file it was read from. */
  readonly file: string;
  /** API name of the object, e.g. `Contact`. */
  readonly object: string;
  /** In file order, never empty; every source once. Every target is filled once, here, by a transform or by a constant. */
  readonly fields: readonly FieldMapping[];
  /** JSONata; records for which it is not true are filtered. */
  readonly when?: string;
  /** JSONata by target. */
  readonly transform?: ReadonlyMap<string, string>;
  readonly constants?: ReadonlyMap<string, Scalar | readonly Scalar[] | null>;
  readonly types?: ReadonlyMap<string, ValueType>;
  /** Default: everything is cleared. */
  readonly onNull?: { readonly default: NullRule; readonly targets: ReadonlyMap<string, NullRule> };
  /** Default: `merge`. */
  readonly merge?: MergeRule;
  readonly values?: ReadonlyMap<string, ValueList>;
  /** Source path of the lookup to the person on whose profile the records are written: they are no persons themselves. */
  readonly belongsTo?: string;
  /** Absent: {@link defaultConsent} of a Lead or Contact. `none`: no field says no. */
  readonly consent?: readonly ConsentRule[] | 'none';
}

/** The objects whose records are persons. */
export const personObjects: readonly string[] = ['Lead', 'Contact'];

/** What says no without a consent block. */
export const defaultConsent: ConsentRule = {
  source: 'HasOptedOutOfEmail',
  when: [true],
  allMarketing: true,
  channelIds: [],
  messageTypeIds: [],
};

/** Every mapping in force, by object. */
export type MappingSet = ReadonlyMap<string, Mapping>;

/** A mapping file as read. */
export interface MappingFile {
  readonly name: string;
  readonly text: string;
}

/** What may end the name of a mapping file. */
export const mappingFileExtensions = ['.yaml', '.yml', '.json'] as const;

/** One mistake in a mapping file: where, what, and what was probably meant. Lines and columns count from 1. */
export interface MappingMistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to write instead, when there is a near miss. */
  readonly suggestion?: string;
}

/** `Lead.yaml:4:3: unknown key "feilds"; did you mean "fields"?` */
export function describeMistake({ file, line, column, message, suggestion }: MappingMistake): string {
  return `${file}:${line}:${column}: ${message}${suggestion === undefined ? '' : `; did you mean "${suggestion}"?`}`;
}

/** The mapping files cannot be used. Lists every mistake of every file. */
export class MappingFilesError extends BadSettingError {
  override readonly name = 'MappingFilesError';

  constructor(readonly mistakes: readonly MappingMistake[]) {
    const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
    super(`The mapping files have ${count}:\n${mistakes.map((mistake) => `  ${describeMistake(mistake)}`).join('\n')}`);
  }
}
