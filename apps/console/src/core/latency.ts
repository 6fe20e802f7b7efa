/** A latency histogram: how many fell into each bin. Sparse; bins grow by a tenth, so a percentile is right within 5 %. */
export type LatencyBins = ReadonlyMap<number, number>;

const GROWTH = 1.1;
const SMALLEST_MS = 10;
/** Latencies from here on share the last bin. Milliseconds. */
const LARGEST_MS = 7 * 24 * 60 * 60 * 1000;

/** The bin of a latency in milliseconds; a negative one (clocks differ) counts as the smallest. */
export function binOf(latencyMs: number): number {
  const clamped = Math.min(Math.max(latencyMs, SMALLEST_MS), LARGEST_MS);
  return Math.floor(Math.log(clamped / SMALLEST_MS) / Math.log(GROWTH));
}

/** The middle of a bin. Milliseconds. */
function valueOf(bin: number): number {
  return Math.round(SMALLEST_MS * GROWTH ** (bin + 0.5));
}

/** The latency that a share `q` (0 to 1) of all values does not exceed, in milliseconds; `null` when there is none. */
export function percentile(histograms: Iterable<LatencyBins>, q: number): number | null {
  const total = new Map<number, number>();
  let count = 0;
  for (const bins of histograms) {
    for (const [bin, n] of bins) {
      total.set(bin, (total.get(bin) ?? 0) + n);
      count += n;
    }
  }
  if (count === 0) return null;
  const rank = Math.max(1, Math.ceil(q * count));
  let below = 0;
  for (const bin of [...total.keys()].toSorted((a, b) => a - b)) {
    below += total.get(bin) ?? 0;
    if (below >= rank) return valueOf(bin);
  }
  return null;
}
