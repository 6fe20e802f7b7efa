/**
 * The changes of one partition that are read and not settled, in pages of typed arrays: 3 bytes a change, and 16 more once it is
 * looked for on its way. A page whose changes are all settled is dropped, so that memory follows what is in flight, not what was.
 */
const PAGE_OFFSETS = 512;

interface Page {
  /** Class of each change plus 1; 0: not a change of this account (before its start, or no message at all). */
  readonly classes: Uint16Array;
  /** 1: it has an outcome. */
  readonly ended: Uint8Array;
  /** Where a batch or an update that covers it stands, as {@link placeOf} writes it; 0: not seen in any. */
  batched: Float64Array | null;
  updated: Float64Array | null;
  /** Offsets that are waited for no more. */
  settled: number;
}

/** What was told of a change before the change itself was read. */
interface Early {
  kind: number | null;
  batched: number;
  updated: number;
}

export type Coverage = 'batched' | 'updated';

/** Told of each change without an outcome. Places are 0 where no such message was seen. */
export type OpenVisitor = (offset: number, changeClass: number, batched: number, updated: number) => void;

export class ChangeBook {
  private readonly pages = new Map<number, Page>();
  private readonly early = new Map<number, Early>();
  private next: number;

  /** `from`: the first offset that is counted. */
  constructor(private readonly from: number) {
    this.next = from;
  }

  /**
   * Takes a change. Input: in the order of the log; one that was read before is passed over, offsets that are left out do not exist.
   * Output: `null` for one that was read before, else the kind of an outcome that was told earlier, -1 when there was none.
   */
  read(offset: number, changeClass: number): number | null {
    if (offset < this.next) return null;
    this.skip(this.next, offset);
    this.next = offset + 1;
    const page = this.pageFor(offset);
    const at = offset % PAGE_OFFSETS;
    page.classes[at] = changeClass + 1;
    const early = this.early.get(offset);
    if (early === undefined) return -1;
    this.early.delete(offset);
    if (early.batched > 0) this.cover('batched', offset, early.batched);
    if (early.updated > 0) this.cover('updated', offset, early.updated);
    if (early.kind === null) return -1;
    this.end(offset, early.kind);
    return early.kind;
  }

  /**
   * Books an outcome. Output: the class of the change, or `null` when there is nothing to count: it has one, it is before the start of
   * the account, or it is not read yet and will be counted then.
   */
  end(offset: number, kind: number): number | null {
    if (offset < this.from) return null;
    if (offset >= this.next) {
      this.earlyFor(offset).kind ??= kind;
      return null;
    }
    const number = Math.floor(offset / PAGE_OFFSETS);
    const page = this.pages.get(number);
    const at = offset % PAGE_OFFSETS;
    if (page === undefined || page.ended[at] === 1 || page.classes[at] === 0) return null;
    page.ended[at] = 1;
    this.settle(number, page, 1);
    return (page.classes[at] as number) - 1;
  }

  /**
   * Notes where a message stands that covers a change. Of several the highest is kept, so that their order does not matter: each of
   * them leads to an outcome of the change.
   */
  cover(stage: Coverage, offset: number, place: number): void {
    if (offset < this.from) return;
    if (offset >= this.next) {
      const early = this.earlyFor(offset);
      early[stage] = Math.max(early[stage], place);
      return;
    }
    const page = this.pages.get(Math.floor(offset / PAGE_OFFSETS));
    if (page === undefined) return;
    const places = (page[stage] ??= new Float64Array(PAGE_OFFSETS));
    const at = offset % PAGE_OFFSETS;
    places[at] = Math.max(places[at] as number, place);
  }

  /** Forgets what was told of changes that the log turned out not to have. */
  dropEarly(): void {
    this.early.clear();
  }

  eachOpen(visit: OpenVisitor): void {
    for (const [number, { classes, ended, batched, updated }] of this.pages) {
      const start = number * PAGE_OFFSETS;
      for (let at = 0; at < PAGE_OFFSETS; at += 1) {
        const known = classes[at] as number;
        if (known === 0 || ended[at] === 1) continue;
        visit(start + at, known - 1, batched?.[at] ?? 0, updated?.[at] ?? 0);
      }
    }
  }

  private earlyFor(offset: number): Early {
    let early = this.early.get(offset);
    if (early === undefined) {
      early = { kind: null, batched: 0, updated: 0 };
      this.early.set(offset, early);
    }
    return early;
  }

  private pageFor(offset: number): Page {
    const number = Math.floor(offset / PAGE_OFFSETS);
    let page = this.pages.get(number);
    if (page === undefined) {
      const before = Math.max(0, this.from - number * PAGE_OFFSETS);
      page = {
        classes: new Uint16Array(PAGE_OFFSETS),
        ended: new Uint8Array(PAGE_OFFSETS),
        batched: null,
        updated: null,
        settled: before,
      };
      this.pages.set(number, page);
    }
    return page;
  }

  /** There is no message at these offsets. */
  private skip(from: number, to: number): void {
    for (let offset = from; offset < to;) {
      const number = Math.floor(offset / PAGE_OFFSETS);
      const end = Math.min(to, (number + 1) * PAGE_OFFSETS);
      // A page without any message at all is never made: it is as good as settled.
      if (end - offset < PAGE_OFFSETS) this.settle(number, this.pageFor(offset), end - offset);
      offset = end;
    }
  }

  private settle(number: number, page: Page, count: number): void {
    page.settled += count;
    if (page.settled === PAGE_OFFSETS) this.pages.delete(number);
  }
}
