import { lanes, type Lane } from '@libs/contracts';

/**
 * Where a message of a topic with two lanes stands, as one number that fits a float: lane and partition above, offset below. Greater
 * than 0, which stands for none. Enough for 4,096 partitions of 2^40 messages.
 */
const OFFSETS = 2 ** 40;

/** Which of the partitions of both lanes. */
function slotOf(lane: Lane, partition: number): number {
  return partition * lanes.length + lanes.indexOf(lane);
}

export function placeOf(lane: Lane, partition: number, offset: number): number {
  return slotOf(lane, partition) * OFFSETS + offset + 1;
}

/** Positions of a consumer in the partitions of both lanes: the first offset that it has not done. A partition left out: 0. */
export type LanePositions = Readonly<Record<Lane, ReadonlyMap<number, number>>>;

/** Tells whether a place is one that the consumer has still before it. */
export function aheadOf(positions: LanePositions): (place: number) => boolean {
  const first: number[] = [];
  for (const lane of lanes) {
    for (const [partition, offset] of positions[lane])
      first[slotOf(lane, partition)] = placeOf(lane, partition, offset);
  }
  return (place) => place > 0 && place >= (first[Math.floor((place - 1) / OFFSETS)] ?? 0);
}
