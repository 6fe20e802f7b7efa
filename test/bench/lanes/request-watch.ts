import type { Logged } from './figures.js';
import type { Doors } from './scene.js';

/** The bulk requests of the sandbox's log, taken over while they are there: it keeps the last 20,000 of all kinds. */
export class RequestWatch {
  readonly seen: Logged[] = [];
  private from = 0;

  constructor(private readonly sandbox: Pick<Doors, 'admin'>) {}

  /** From now on. */
  static async begin(sandbox: Pick<Doors, 'admin'>): Promise<RequestWatch> {
    const watch = new RequestWatch(sandbox);
    await watch.look();
    watch.from = watch.seen.at(-1)?.number ?? 0;
    watch.seen.length = 0;
    return watch;
  }

  /** All that are answered, oldest first. One on its way comes with a later look, and so do those after it. */
  async look(): Promise<readonly Logged[]> {
    const after = this.seen.at(-1)?.number ?? this.from;
    const path = `/iterable/requests?endpoint=users/bulkUpdate&after=${after}`;
    const { requests } = await this.sandbox.admin<{ requests: Logged[] }>('GET', path);
    const open = requests.findIndex(({ status }) => status === null);
    this.seen.push(...(open < 0 ? requests : requests.slice(0, open)));
    return this.seen;
  }
}
