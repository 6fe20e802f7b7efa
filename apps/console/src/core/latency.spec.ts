import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { binOf, percentile } from './latency.js';

const histogram = (values: readonly number[]) => {
  const bins = new Map<number, number>();
  for (const value of values) bins.set(binOf(value), (bins.get(binOf(value)) ?? 0) + 1);
  return bins;
};

it('gives percentiles within 5 % of the exact ones, however the values are split over histograms', () => {
  const latencies = fc.array(fc.integer({ min: 10, max: 3_600_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(latencies, latencies, fc.constantFrom(0, 0.5, 0.99, 1), (some, others, q) => {
      const sorted = [...some, ...others].toSorted((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0;
      const found = percentile([histogram(some), histogram(others)], q) ?? 0;
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.051 + 1);
    }),
  );
});

it('knows no percentile of nothing, and takes a negative latency as the smallest', () => {
  expect(percentile([], 0.5)).toBeNull();
  expect(binOf(-5_000)).toBe(binOf(0));
});
