import { readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second for programs, whatever its own clock. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has used, user and system, seconds; 0 where the system does not tell (not Linux). */
export function cpuSecondsOf(pid: number): number {
  try {
    // The name, in brackets, may hold blanks: fields are counted behind it
    const [, behindName = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const fields = behindName.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Processor time of some processes so far, by name. */
export interface CpuUsage {
  readonly atMs: number;
  readonly cpuSeconds: Readonly<Record<string, number>>;
}

export function cpuUsageOf(pids: Readonly<Record<string, number>>): CpuUsage {
  const cpuSeconds = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSecondsOf(pid)]));
  return { atMs: performance.now(), cpuSeconds };
}

/** Processor time between two moments as shares of one core, by name. */
export function coresUsed(from: CpuUsage, to: CpuUsage): Record<string, number> {
  const seconds = (to.atMs - from.atMs) / 1_000;
  return Object.fromEntries(
    Object.entries(to.cpuSeconds).map(([name, used]) => [name, (used - (from.cpuSeconds[name] ?? 0)) / seconds]),
  );
}
