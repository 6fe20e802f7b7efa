import { BadSettingError } from '@libs/contracts';

/** One line of a mapping: where a value comes from and where it goes. */
export interface FieldMapping {
  /** Path of a Salesforce field from the mapped object, relationships first, e.g. `Account.Name`. */
  readonly source: string;
  /** `email`, `userId` or `dataFields.<path>`. */
  readonly target: string;
}

/** How one Salesforce object becomes an Iterable user: a checked mapping file. */
export interface Mapping {
  /** Name of the file it was read from. */
  readonly file: string;
  /** API name of the object, e.g. `Contact`. */
  readonly object: string;
  /** In file order, never empty; every source and every target once. */
  readonly fields: readonly FieldMapping[];
}

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
