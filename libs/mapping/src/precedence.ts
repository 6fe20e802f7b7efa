/** What decides between several records that claim one address. */
export interface Claimant {
  readonly recordType: string;
  readonly recordId: string;
  /** Epoch milliseconds. */
  readonly createdMs: number;
}

/** Persons before other objects, and the one that sales works with before the one that it began as. */
const RANKS: Readonly<Record<string, number>> = { Contact: 0, Lead: 1 };
const LAST_RANK = 2;

/**
 * Who has an address that both claim? A Contact before a Lead before any other object, then the record created later, then
 * the greater id: a total order of facts that hardly ever change, so that a profile does not change hands with every edit, as it
 * would by SystemModstamp. The order of arrival never counts.
 */
export function outranks(a: Claimant, b: Claimant): boolean {
  const byType = rankOf(a.recordType) - rankOf(b.recordType);
  if (byType !== 0) return byType < 0;
  if (a.createdMs !== b.createdMs) return a.createdMs > b.createdMs;
  return a.recordId > b.recordId;
}

/** The place of an object's records in line, smallest first. */
export function rankOf(recordType: string): number {
  return RANKS[recordType] ?? LAST_RANK;
}
