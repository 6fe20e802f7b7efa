import type { Consume, FencedClaim } from './claims.js';
import { LeaseLostError } from './errors.js';
import type { Consumer, Lease, LeaseHolder, LeaseOptions } from './port.js';

/** Kafka's `offset.metadata.max.bytes`. */
const MAX_CURSOR_BYTES = 4_096;

/** The lease topic carries nothing, so its committed offset stays at the beginning; only the metadata moves. */
const LEASE_OFFSET = 0;

/**
 * The lease of a singleton role as a single-owner consumer: who is assigned the role's partition holds the lease, and its
 * commit metadata is the cursor. Each holder runs after the one before has settled, here; elsewhere, the log's fencing refuses
 * the cursor of a holder that has not noticed yet. One group for each role.
 */
export async function holdLease(
  consume: Consume,
  options: LeaseOptions,
  holder: LeaseHolder,
  onCrash: (error: Error) => void,
): Promise<Consumer> {
  let running: Promise<void> = Promise.resolve();
  let current: FencedClaim | null = null;

  const run = async (claim: FencedClaim) => {
    if (claim.signal.aborted) return;
    try {
      await holder(leaseOf(claim));
      if (!claim.signal.aborted) throw new Error(`the holder of lease ${options.role} ended while it held it`);
    } catch (error) {
      // What it throws on the way out of a lost lease is that loss.
      if (claim.signal.aborted) return;
      onCrash(error instanceof Error ? error : new Error(String(error)));
    }
  };

  const consumer = await consume(
    { group: options.group, topics: [options.topic], assignment: 'single-owner' },
    {
      onRecords: () => Promise.resolve(),
      onAssigned: (claims) => {
        const claim = claims.find(({ partition }) => partition === options.role) ?? null;
        if (claim === null) options.onStandby?.();
        if (claim === null || claim === current) return;
        current = claim;
        running = running.then(() => run(claim));
      },
      onCrash,
    },
  );
  const stopped = async (end: () => Promise<void>) => {
    await end();
    await running;
  };
  return {
    // The lease itself ends only with the group: a holder stops when its signal aborts.
    stop: () => consumer.stop(),
    close: () => stopped(() => consumer.close()),
  };
}

function leaseOf(claim: FencedClaim): Lease {
  return {
    signal: claim.signal,
    cursor: claim.metadata,
    heartbeatAgeMs: () => claim.heartbeatAgeMs(),
    async saveCursor(cursor) {
      const bytes = Buffer.byteLength(cursor);
      if (bytes > MAX_CURSOR_BYTES) throw new RangeError(`a cursor of ${bytes} bytes, more than ${MAX_CURSOR_BYTES}`);
      if (!(await claim.tryCommit(LEASE_OFFSET, cursor))) throw new LeaseLostError('saving the cursor of a lease');
    },
  };
}
