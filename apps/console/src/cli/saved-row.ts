import { readFileSync } from 'node:fs';
import { toRecordId, type ProjectType } from '@libs/contracts';
import {
  compileMapping,
  foreignTargets,
  rowFate,
  type MappingSet,
  type RowFate,
  type SourceRecord,
} from '@libs/mapping';
import type { RecordPreview } from '../core/preview-answers.js';
import { notWritten, written, type FateInWords } from '../core/preview-text.js';
import { nameOf, userBody, type PreviewBody } from '../preview-body.js';
import { CliError, exitCodes } from './exit-codes.js';

/** A row of a query that was saved as JSON. Errors: {@link CliError}; the message holds nothing of what is in the file. */
export function readSavedRow(file: string): SourceRecord {
  const refuse = (problem: string, cause?: unknown) =>
    new CliError(`--record: ${file} ${problem}`, exitCodes.usage, { cause });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`, error);
  }
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    throw refuse('is no JSON', error);
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw refuse('is not one record: a JSON object');
  return row as SourceRecord;
}

/** What a saved row would become, without an org or a project. Errors: {@link CliError}. */
export async function previewSavedRow(
  row: SourceRecord,
  object: string,
  { mappings, projectType }: { readonly mappings: MappingSet; readonly projectType: ProjectType },
): Promise<{ readonly preview: RecordPreview; readonly notes: readonly string[] }> {
  const mapping = mappings.get(object);
  if (mapping === undefined) {
    throw new CliError(`${object} is not mapped. Mapped: ${[...mappings.keys()].join(', ')}.`, exitCodes.usage);
  }
  const recordId = toRecordId(String(row['Id']));
  const compiled = compileMapping(mapping, { clear: foreignTargets(mappings, object) });
  const rules = { compiled, projectType, mapsContacts: mappings.has('Contact'), recordId: recordId ?? '' };
  const fate = rowFate(row, await compiled.apply(row), rules);
  const { made, words } = outcomeOf(fate, projectType, compiled.replaceNested);
  const mapped = fate.kind === 'user' || fate.kind === 'belonging' ? fate.mapped : null;
  const lacking = mapping.fields.map(({ source }) => source).filter((source) => !has(row, source));
  return {
    preview: {
      object,
      recordId,
      mapping: { file: mapping.file, version: compiled.version },
      soql: null,
      record: { ...row },
      ...words,
      body: made === null ? null : { ...made.body },
      mergeNestedObjects: made === null ? null : made.mergeNestedObjects,
      profile: 'not-asked',
      difference: null,
      claimants: [],
      optOut: mapped?.optOut ?? null,
      shortened: [...(mapped?.shortened ?? [])],
    },
    notes: lacking.length === 0 ? [] : [`The record does not have ${lacking.join(', ')}: left out of the body.`],
  };
}

function outcomeOf(
  fate: RowFate,
  projectType: ProjectType,
  replaceNested: boolean,
): { readonly made: Pick<PreviewBody, 'body' | 'mergeNestedObjects'> | null; readonly words: FateInWords } {
  if (fate.kind === 'belonging') {
    const { dataFields } = fate.mapped;
    const made = { body: { dataFields }, mergeNestedObjects: !replaceNested };
    return { made, words: { fate: 'written', text: `Would be written to the profile of ${fate.belongsTo}.` } };
  }
  if (fate.kind !== 'user') return { made: null, words: notWritten(fate) };
  const made = userBody(projectType, fate.user, { owns: true, replaceNested });
  if ('userId' in made.on && made.on.userId === '') {
    throw new CliError('--record: the row has no Id, and this project knows its users by it.', exitCodes.usage);
  }
  return { made, words: written(nameOf(made.on), { profile: 'not-asked', difference: null }) };
}

/** Does the row say anything of a path? An empty lookup does: nothing is behind it. */
function has(row: SourceRecord, path: string): boolean {
  let value: unknown = row;
  for (const name of path.split('.')) {
    if (value === null) return true;
    if (typeof value !== 'object' || value === undefined || !(name in value)) return false;
    value = (value as SourceRecord)[name];
  }
  return true;
}
