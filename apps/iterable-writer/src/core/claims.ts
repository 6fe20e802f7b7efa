import type { Identity } from '@libs/contracts';
import { outranks, type Claimant } from '@libs/mapping';

/** A record as the store knows it. */
export interface Known {
  readonly recordId: string;
  readonly identity: Identity;
}

/** The first in line; `null` of none. */
export function firstOf(claimants: readonly Known[]): Known | null {
  return claimants.reduce<Known | null>(
    (best, one) => (best === null || outranks(toClaimant(one), toClaimant(best)) ? one : best),
    null,
  );
}

export function others(known: readonly Known[], recordId: string): Known[] {
  return known.filter((one) => one.recordId !== recordId);
}

export function toClaimant({ recordId, identity: { recordType, claim, createdMs = 0 } }: Known): Claimant {
  return { recordId, recordType, createdMs: claim?.createdMs ?? createdMs };
}
