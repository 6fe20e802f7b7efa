import type { Job } from './answers.js';

/** A count for a person: `12300` → `12,300`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

const UNITS: ReadonlyArray<readonly [name: string, ms: number]> = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** A duration in milliseconds for a person, in its largest unit: `4 s`, `3 min`, `2 h`, `5 d`. Negative counts as zero. */
export function formatDuration(ms: number): string {
  for (const [name, unitMs] of UNITS) if (ms >= unitMs) return `${Math.floor(ms / unitMs)} ${name}`;
  return '0 s';
}

/** `1 change`, `2 changes`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Which dead letters a redrive takes: `iterable.invalid_email of Lead since …`. */
function lettersInWords({ codes, objects, idCount, from, to }: NonNullable<Job['redrive']>): string {
  const parts: string[] = [];
  if (codes !== undefined) parts.push(codes.join(', '));
  if (objects !== undefined) parts.push(`of ${objects.join(', ')}`);
  if (idCount !== undefined) parts.push(`of ${plural(idCount, 'record id')}`);
  if (from !== undefined) parts.push(`since ${from}`);
  if (to !== undefined) parts.push(`until ${to}`);
  return parts.join(' ');
}

/**
 * What a job was asked to do: `Lead where Status = 'New'`, `12 record ids`, `Lead since … (catch-up)`, `Contact (fan-out of 3 Account records)`,
 * `redrive iterable.invalid_email`.
 */
export function jobTitle({ object, where, since, catchUp, fanOut, redrive, idCount, id }: Job): string {
  if (redrive !== undefined) return `redrive ${lettersInWords(redrive)}`.trimEnd();
  if (object === undefined) return idCount === undefined ? `backfill ${id}` : plural(idCount, 'record id');
  const parts = [object];
  if (where !== undefined) parts.push(`where ${where}`);
  if (since !== undefined) parts.push(`since ${since}`);
  if (catchUp !== undefined) parts.push(`(catch-up: ${catchUp})`);
  if (fanOut !== undefined) parts.push(`(fan-out of ${plural(fanOut.records, `${fanOut.from} record`)})`);
  return parts.join(' ');
}
