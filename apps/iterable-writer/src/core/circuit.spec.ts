import { describe, expect, it } from 'vitest';
import { circuitAfterFailure, circuitWaitMs, closedCircuit, type Circuit } from './circuit.js';

const failure = (nowMs: number, refused = false, code = 'iterable.unavailable') => ({
  code,
  refused,
  nowMs,
  random: 0,
});
const failTimes = (times: number, from: Circuit = closedCircuit, nowMs = 0) => {
  let circuit = from;
  for (let count = 0; count < times; count += 1) circuit = circuitAfterFailure(circuit, failure(nowMs));
  return circuit;
};

describe('the circuit', () => {
  it('bears four failures in a row, and pauses at the fifth', () => {
    expect(failTimes(4).pause).toBeNull();
    expect(failTimes(5).pause).toMatchObject({ code: 'iterable.unavailable', sinceMs: 0, probeAtMs: 500, probes: 0 });
  });

  it('pauses at once when access is refused', () => {
    const circuit = circuitAfterFailure(closedCircuit, failure(7, true, 'iterable.access_refused'));
    expect(circuit.pause).toMatchObject({ code: 'iterable.access_refused', sinceMs: 7 });
  });

  it('probes later and later, 30 s at most apart', () => {
    let circuit = failTimes(5);
    const gaps: number[] = [];
    for (let probe = 0; probe < 8; probe += 1) {
      const now = circuit.pause?.probeAtMs ?? 0;
      circuit = circuitAfterFailure(circuit, { ...failure(now), random: 0.999_999 });
      gaps.push((circuit.pause?.probeAtMs ?? 0) - now);
    }
    expect(gaps).toEqual([1_999, 3_999, 7_999, 15_999, 29_999, 29_999, 29_999, 29_999]);
    expect(circuit.pause?.sinceMs).toBe(0);
  });

  it('is not set back by answers to requests that left before', () => {
    const circuit = failTimes(10, failTimes(5), 10);
    expect(circuit.pause).toMatchObject({ probeAtMs: 500, probes: 0 });
  });

  it.each([
    ['open for all', closedCircuit, 0, 9, 0],
    ['paused', failTimes(5), 100, 0, 400],
    ['due for a probe', failTimes(5), 900, 0, 0],
    ['one request at a time', failTimes(5), 900, 1, null],
  ])('%s', (_, circuit, now, inFlight, expected) => {
    expect(circuitWaitMs(circuit, now, inFlight)).toBe(expected);
  });
});
