import type { Mapping, MappingMistake } from './mapping.js';
import type { MappingPlaces, Place } from './mapping-places.js';
import type { ObjectShape, ResolvedSources } from './resolve-sources.js';

/** Something about a mapping that should be looked at before it ships: where, what, and what was probably meant. */
export interface MappingFinding extends MappingMistake {
  /** `mapping.<reason>`, never renamed; libs/contracts explains each. */
  readonly code: string;
}

/** `error`: the mapping would not work as it is. `warning`: it works, but someone should know. */
export type Severity = 'error' | 'warning';

export interface MappingFindings {
  readonly errors: readonly MappingFinding[];
  readonly warnings: readonly MappingFinding[];
}

/** Collects what is found. */
export class Findings implements MappingFindings {
  readonly errors: MappingFinding[] = [];
  readonly warnings: MappingFinding[] = [];

  add(
    severity: Severity,
    at: { readonly file: string } & Place,
    about: Omit<MappingFinding, keyof Place | 'file'>,
  ): void {
    const { file, line, column } = at;
    const { code, message, suggestion } = about;
    const found = { file, line, column, code, message, ...(suggestion !== undefined && { suggestion }) };
    (severity === 'error' ? this.errors : this.warnings).push(found);
  }
}

/** What is needed of an org's field to check a mapping against it. */
export interface CheckedField {
  readonly name: string;
  readonly type: string;
  readonly length: number;
  /** A formula or a roll-up summary. */
  readonly calculated: boolean;
  /** The text of a formula; `null` for a roll-up summary. */
  readonly calculatedFormula: string | null;
  readonly relationshipName: string | null;
  readonly referenceTo: readonly string[];
  readonly picklistValues: ReadonlyArray<{ readonly value: string; readonly active: boolean }>;
}

export interface CheckedShape extends ObjectShape {
  readonly fields: readonly CheckedField[];
}

/** A mapping with where its lines are and what the org says of its sources. */
export interface CheckedMapping {
  readonly mapping: Mapping;
  readonly places: MappingPlaces;
  readonly resolved: ResolvedSources;
}

/** In the order of the files and their lines. */
export function inFileOrder(findings: readonly MappingFinding[]): MappingFinding[] {
  return findings.toSorted(
    (a, b) => (a.file === b.file ? 0 : a.file < b.file ? -1 : 1) || a.line - b.line || a.column - b.column,
  );
}
