import type { ProjectType } from '@libs/contracts';
import type { Org, OrgRecord } from './org.js';

/*
 * What Iterable must show for what happened in an org, written from the rules of the documentation and from nothing else:
 * no line of the product is used here.
 */

export type OnDelete = 'ignore' | 'flag' | 'unsubscribe' | 'delete' | 'forget';

export interface Rules {
  readonly projectType: ProjectType;
  readonly onDelete: OnDelete;
  /** Did a writer die in between? Default: none did. */
  readonly crashed?: boolean;
}

/** A profile as Iterable shows it, without the fields that Iterable keeps itself. */
export interface ShownProfile {
  readonly email: string | null;
  readonly userId: string | null;
  /** Without empty objects. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly unsubscribed: boolean;
}

/** The address that a record's text means; `null`: none that mail can be sent to. */
export function addressOf(text: string | null): string | null {
  const address = (text ?? '').trim().toLowerCase();
  return /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/.test(address) ? address : null;
}

const isLive = (record: OrgRecord): boolean => !record.deleted && record.convertedTo === null;

/** A deleted record, a merged one and a converted Lead claim nothing. */
function claimOf(record: OrgRecord): string | null {
  return isLive(record) ? addressOf(record.email) : null;
}

/** Does `a` come before `b` where both claim one address? A Contact before a Lead; then the newer; then the greater id. */
function outranks(a: OrgRecord, b: OrgRecord): boolean {
  if (a.type !== b.type) return a.type === 'Contact';
  return a.createdMs === b.createdMs ? a.id > b.id : a.createdMs > b.createdMs;
}

/** What the mapping makes of a record (mappings.ts), without what is empty. */
export function imageOf(record: OrgRecord): Record<string, unknown> {
  return withoutEmpty({
    Name: { First: record.firstName, Last: record.lastName },
    Salesforce: { Id: record.id, Deleted: false },
    Lead: record.type === 'Lead' ? { Rating: record.own } : null,
    Department: record.type === 'Contact' ? record.own : null,
  });
}

/** Without nulls and without objects that hold nothing. */
export function withoutEmpty(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const pruned =
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? withoutEmpty(inner as Record<string, unknown>)
        : inner;
    if (pruned === null || pruned === undefined) continue;
    if (typeof pruned === 'object' && !Array.isArray(pruned) && Object.keys(pruned).length === 0) continue;
    kept[name] = pruned;
  }
  return kept;
}

/** The questions that the rules ask of an org and its past. */
export class Facts {
  readonly records: readonly OrgRecord[];
  /** Live claimants by address, now. */
  readonly claimants: ReadonlyMap<string, readonly OrgRecord[]>;
  private readonly everClaimed = new Map<string, Set<string>>();
  private readonly everGone = new Set<string>();
  private readonly tainted: (node: string) => boolean;
  private readonly byId: ReadonlyMap<string, OrgRecord>;

  constructor(
    private readonly org: Org,
    private readonly rules: Rules,
  ) {
    this.records = org.all();
    this.byId = new Map(this.records.map((record) => [record.id, record]));
    const claiming = this.records.filter((record) => claimOf(record) !== null);
    this.claimants = Map.groupBy(claiming, (record) => claimOf(record) as string);
    for (const state of org.history()) {
      if (state.deleted) this.everGone.add(state.id);
      const claim = claimOf(state);
      if (claim === null) continue;
      const claimed = this.everClaimed.get(claim) ?? new Set();
      this.everClaimed.set(claim, claimed.add(state.id));
    }
    this.tainted = this.findTaint();
  }

  ownerOf(address: string): OrgRecord | undefined {
    return this.claimants.get(address)?.reduce((best, next) => (outranks(next, best) ? next : best));
  }

  claimOf(record: OrgRecord): string | null {
    return claimOf(record);
  }

  /** The records that once claimed an address, as they are now. */
  onceAt(address: string): OrgRecord[] {
    return [...(this.everClaimed.get(address) ?? [])].map((id) => this.byId.get(id) as OrgRecord);
  }

  wasEverGone(record: OrgRecord): boolean {
    return this.everGone.has(record.id);
  }

  /**
   * Did a live person lose its address without getting another? Its profile stays as it is (and may be anything between never
   * written and still there, as the state with the address may have been overtaken). A converted Lead lives on in its Contact.
   */
  isWithoutAddress(record: OrgRecord): boolean {
    if (record.deleted) return false;
    const heir = this.heirOf(record);
    return !heir.deleted && addressOf(heir.email) === null;
  }

  /** The record as which a person goes on: of a converted Lead its Contact, else itself. */
  heirOf(record: OrgRecord): OrgRecord {
    return record.convertedTo === null ? record : (this.byId.get(record.convertedTo) as OrgRecord);
  }

  /** Is it the profile of a record that is deleted, or of a Lead whose Contact is? */
  isGone(recordId: string | null): boolean {
    const record = this.byId.get(recordId ?? '');
    return record !== undefined && !isLive(record) && !this.goesOn(record);
  }

  /** Is a Lead converted to a Contact that is there? Where the Contact is deleted its Lead ends as deleted, too. */
  goesOn({ deleted, convertedTo }: OrgRecord): boolean {
    return !deleted && convertedTo !== null && this.byId.get(convertedTo)?.deleted === false;
  }

  /** Is a record live, and no converted Lead? */
  isLive(record: OrgRecord): boolean {
    return isLive(record);
  }

  /** Has anybody who claims an address said no? */
  isOptedOut(address: string): boolean {
    return (this.claimants.get(address) ?? []).some(({ optedOut }) => optedOut);
  }

  /**
   * May a profile be unsubscribed though nobody asks for it now? Nothing ever subscribes anyone again, and profiles move with
   * addresses and conversions: so if anyone who is connected to it by a shared address, a conversion or a merge ever opted out.
   * `node`: a record id or an address.
   */
  mayBeUnsubscribed(node: string): boolean {
    return this.tainted(node);
  }

  private findTaint(): (node: string) => boolean {
    const parent = new Map<string, string>();
    const root = (node: string): string => {
      let at = node;
      for (let up = parent.get(at); up !== undefined; up = parent.get(at)) at = up;
      return at;
    };
    const join = (a: string, b: string) => {
      const [one, other] = [root(a), root(b)];
      if (one !== other) parent.set(one, other);
    };
    const sources: string[] = [];
    for (const state of this.org.history()) {
      const address = addressOf(state.email);
      if (address !== null) join(state.id, address);
      if (state.convertedTo !== null) join(state.id, state.convertedTo);
      if (state.masterId !== null) join(state.id, state.masterId);
      if (state.optedOut || (this.rules.onDelete === 'unsubscribe' && state.deleted)) sources.push(state.id);
    }
    const taintedRoots = new Set(sources.map(root));
    return (node) => taintedRoots.has(root(node));
  }
}
