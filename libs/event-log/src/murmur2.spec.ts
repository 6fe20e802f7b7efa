import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOfKey } from './murmur2.js';

// Known answers from Kafka's own UtilsTest.testMurmur2.
const known: ReadonlyArray<readonly [string, number]> = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

describe('murmur2', () => {
  it.each(known)("gives Kafka's hash of %j", (key, hash) => {
    expect(murmur2(key)).toBe(hash);
  });

  it('agrees with kafkajs on any key', () => {
    const theirs = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
      key: string,
    ) => number;
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (key) => murmur2(key) === theirs(key)));
  });

  it('gives a partition that exists', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 256 }), (key, partitions) => {
        const partition = partitionOfKey(key, partitions);
        return Number.isInteger(partition) && partition >= 0 && partition < partitions;
      }),
    );
  });
});
