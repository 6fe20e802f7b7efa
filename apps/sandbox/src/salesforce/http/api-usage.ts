const HOUR_MS = 3_600_000;
const HOURS = 24;

/** Something counted over a rolling day, in hours of the sandbox's clock. Source: facts/salesforce.md §3.6, §3.7. */
export class DailyCount {
  private readonly hours = new Map<number, number>();

  constructor(private readonly now: () => number) {}

  add(count: number): void {
    const hour = Math.floor(this.now() / HOUR_MS);
    this.hours.set(hour, (this.hours.get(hour) ?? 0) + count);
  }

  /** What was counted in the last 24 hours. */
  get used(): number {
    let sum = 0;
    for (const [, count] of this.byHour) sum += count;
    return sum;
  }

  /** The counts of the last 24 hours that have one; hours since 1970. */
  get byHour(): Iterable<readonly [hour: number, count: number]> {
    const oldest = Math.floor(this.now() / HOUR_MS) - HOURS;
    for (const hour of this.hours.keys()) if (hour <= oldest) this.hours.delete(hour);
    return this.hours;
  }
}
