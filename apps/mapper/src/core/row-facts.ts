import { toRecordId } from '@libs/contracts';
import type { CompiledMapping, SourceRecord } from '@libs/mapping';

/** When the record was created. Epoch milliseconds; `undefined` when the row does not say. */
export function createdMs(row: SourceRecord): number | undefined {
  const text = row['CreatedDate'];
  if (typeof text !== 'string') return undefined;
  const parsed = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** The Contact that a Lead was converted to; `null`: it was not, or the row does not say. */
export function convertedTo(recordType: string, row: SourceRecord): string | null {
  return recordType === 'Lead' && row['IsConverted'] === true ? idOf(row['ConvertedContactId']) : null;
}

/** The record that this one was merged into; `null`: it was not. */
export function mergedInto(row: SourceRecord): string | null {
  return idOf(row['MasterRecordId']);
}

/** Whose profile the row is written on; `null`: its lookup is empty. */
export function belongsToId(row: SourceRecord, { belongsTo }: Pick<CompiledMapping, 'belongsTo'>): string | null {
  const value = (belongsTo ?? '')
    .split('.')
    .reduce<unknown>((at, name) => (at as SourceRecord | null | undefined)?.[name], row);
  return idOf(value);
}

function idOf(value: unknown): string | null {
  return typeof value === 'string' ? toRecordId(value) : null;
}
