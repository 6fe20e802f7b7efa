import type { Version } from '@libs/contracts';
import type { CompiledMapping } from './compile-mapping.js';
import { toEpochMs, type SourceRecord } from './record-readers.js';

/**
 * How new a fetched row is. Invariant 3: the greatest SystemModstamp of the record and the parents that its mapping
 * reads, then the start of the fetch. `null` when the row has no SystemModstamp of its own that can be read.
 */
export function recordVersion(
  record: SourceRecord,
  compiled: Pick<CompiledMapping, 'modstamps'>,
  fetchedAtMs: number,
): Version | null {
  const [own, ...parents] = compiled.modstamps(record).map(toEpochMs);
  if (own === undefined || own === null) return null;
  return { modstampMs: Math.max(own, ...parents.map((stamp) => stamp ?? own)), fetchedAtMs };
}
