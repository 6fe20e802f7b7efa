/** Failures in a row, without one answer between them, that count as an outage. */
const OUTAGE_FAILURES = 5;
/** Between probes while writing is paused. Milliseconds. */
const FIRST_PROBE_MS = 1_000;
const LAST_PROBE_MS = 30_000;

/** Does Iterable take requests? */
export interface Circuit {
  /** In a row. */
  readonly failures: number;
  readonly pause: Pause | null;
}

export interface Pause {
  /** What was said last: `iterable.<reason>`. */
  readonly code: string;
  readonly sinceMs: number;
  /** The next request, a single one, may leave then. */
  readonly probeAtMs: number;
  readonly probes: number;
}

export const closedCircuit: Circuit = { failures: 0, pause: null };

export interface Failure {
  readonly code: string;
  /** Nothing will be taken until somebody acts: no need to see it five times. */
  readonly refused: boolean;
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/**
 * After a request that got no usable answer. Invariant 7: an outage or a refused credential pauses writing, and nothing is dead.
 * Answers to requests that left before the pause do not postpone the probe.
 */
export function circuitAfterFailure(circuit: Circuit, { code, refused, nowMs, random }: Failure): Circuit {
  const failures = circuit.failures + 1;
  const { pause } = circuit;
  if (pause === null) {
    if (!refused && failures < OUTAGE_FAILURES) return { failures, pause: null };
    return { failures, pause: { code, sinceMs: nowMs, probeAtMs: nowMs + probeDelayMs(0, random), probes: 0 } };
  }
  if (nowMs < pause.probeAtMs) return { failures, pause: { ...pause, code } };
  const probes = pause.probes + 1;
  return { failures, pause: { ...pause, code, probes, probeAtMs: nowMs + probeDelayMs(probes, random) } };
}

/** How long until a request may leave; `null`: only after the one that is on its way has its answer. Milliseconds. */
export function circuitWaitMs({ pause }: Circuit, nowMs: number, inFlight: number): number | null {
  if (pause === null) return 0;
  if (inFlight > 0) return null;
  return Math.max(0, pause.probeAtMs - nowMs);
}

/** Half fixed, half jitter: probes of several projects spread, and none follows at once. */
function probeDelayMs(probes: number, random: number): number {
  const full = Math.min(LAST_PROBE_MS, FIRST_PROBE_MS * 2 ** Math.min(probes, 10));
  return Math.floor(full / 2 + (random * full) / 2);
}
