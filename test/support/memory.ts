import { readFileSync } from 'node:fs';

/** Peak resident memory of a process, MiB; 0 where the system does not tell (not Linux). */
export function memoryOf(pid: number): number {
  try {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(peak ?? 0) / 1024);
  } catch {
    return 0;
  }
}
