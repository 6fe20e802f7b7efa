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
