import type { Claim, Consumer, ConsumerHandlers, ConsumerOptions } from './port.js';

/** Inside the lib: a claim that tells whether the log took the commit, for whoever must stop when it did not. */
export interface FencedClaim extends Claim {
  /** `false`: refused, this owner is of an old generation. */
  tryCommit(nextOffset: number, metadata?: string): Promise<boolean>;
  /** The committed metadata at the time of the claim. */
  readonly metadata: string | null;
}

/** {@link ConsumerHandlers} that see the claims as what they are. */
export interface FencedHandlers extends Pick<ConsumerHandlers, 'onRecords' | 'onCrash'> {
  onAssigned?(claims: readonly FencedClaim[]): void;
}

export type Consume = (options: ConsumerOptions, handlers: FencedHandlers) => Promise<Consumer>;
