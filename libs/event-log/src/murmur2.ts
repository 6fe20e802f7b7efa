const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/**
 * Kafka's murmur2 of a key's UTF-8 bytes, as a signed 32-bit integer.
 * Source: org.apache.kafka.common.utils.Utils.murmur2; kafkajs computes the same.
 */
export function murmur2(key: string): number {
  const data = Buffer.from(key);
  const { length } = data;
  let hash = SEED ^ length;
  const whole = length - (length % 4);
  for (let index = 0; index < whole; index += 4) {
    let word = Math.imul(data.readInt32LE(index), MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  if (length > whole) {
    let rest = 0;
    for (let index = length - 1; index >= whole; index -= 1) rest = (rest << 8) | (data[index] ?? 0);
    hash = Math.imul(hash ^ rest, MIX);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
}

/** The partition that Kafka's default partitioner gives a key: a record's messages land alike on both logs. */
export function partitionOfKey(key: string, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
