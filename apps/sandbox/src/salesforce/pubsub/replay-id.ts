const BYTES = 8;

/** A place in the event log as the API sends it: 8 bytes, big-endian. Source: facts/salesforce.md §2.3. */
export function replayIdBytes(position: number): Buffer {
  const bytes = Buffer.allocUnsafe(BYTES);
  bytes.writeBigUInt64BE(BigInt(position));
  return bytes;
}

/** The place that a client names; null when the bytes are none of ours. */
export function positionOf(bytes: Buffer): number | null {
  if (bytes.length !== BYTES) return null;
  const position = Number(bytes.readBigUInt64BE());
  return Number.isSafeInteger(position) ? position : null;
}
