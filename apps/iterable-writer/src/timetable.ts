/** Things in the order of their times. Adding one near the end is cheap, and so is taking the first. */
export class Timetable<T> {
  private readonly list: T[] = [];

  /** `timeOf` must not change while a thing is in the table. */
  constructor(private readonly timeOf: (one: T) => number) {}

  add(one: T): void {
    const time = this.timeOf(one);
    let at = this.list.length;
    while (at > 0 && this.timeOf(this.list[at - 1] as T) > time) at -= 1;
    this.list.splice(at, 0, one);
  }

  /** Takes out what is due at `time`, earliest first. */
  takeUntil(time: number): T[] {
    const end = this.list.findIndex((one) => this.timeOf(one) > time);
    return this.list.splice(0, end < 0 ? this.list.length : end);
  }

  /** Of the first; infinite when the table is empty. */
  nextMs(): number {
    const [first] = this.list;
    return first === undefined ? Number.POSITIVE_INFINITY : this.timeOf(first);
  }

  remove(one: T): void {
    const at = this.list.indexOf(one);
    if (at >= 0) this.list.splice(at, 1);
  }
}
