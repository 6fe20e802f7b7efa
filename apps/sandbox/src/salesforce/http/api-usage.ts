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
    const oldest = Math.floor(this.now() / HOUR_MS) - HOURS;
    let sum = 0;
    for (const [hour, count] of this.hours) {
      if (hour <= oldest) this.hours.delete(hour);
      else sum += count;
    }
    return sum;
  }
}
