import { toRecordId, type ChangeType } from '@libs/contracts';

/** A Lead or Contact as it stands in the org. Times are epoch milliseconds of whole seconds, as Salesforce keeps them. */
export interface OrgRecord {
  readonly id: string;
  readonly type: 'Lead' | 'Contact';
  readonly createdMs: number;
  readonly modstampMs: number;
  readonly email: string | null;
  readonly firstName: string | null;
  readonly lastName: string;
  /** Rating of a Lead, Department of a Contact: what only the one object has. */
  readonly own: string | null;
  readonly optedOut: boolean;
  readonly deleted: boolean;
  /** Out of the recycle bin too: no query shows it. */
  readonly purged: boolean;
  /** The record that it was merged into. */
  readonly masterId: string | null;
  /** The Contact that a Lead was converted to. */
  readonly convertedTo: string | null;
}

/** What a change event says. */
export interface OrgChange {
  readonly type: 'Lead' | 'Contact';
  readonly id: string;
  readonly changeType: ChangeType;
  readonly commitMs: number;
}

/** What a user may fill in. */
export type Fields = Partial<Pick<OrgRecord, 'email' | 'firstName' | 'lastName' | 'own' | 'optedOut'>>;

const second = (ms: number): number => Math.floor(ms / 1_000) * 1_000;

/**
 * A Salesforce org of a few Leads and Contacts. It keeps every state that a record ever had: what Iterable may show depends
 * on the past in places. Deleted rows stay readable until they are purged, as queryAll shows them. Every change returns the
 * events of its transaction; `nowMs` is when it is committed.
 */
export class Org {
  private readonly records = new Map<string, OrgRecord>();
  private readonly states: OrgRecord[] = [];
  private serial = 0;

  /** `addresses`: all that its records may have. */
  constructor(readonly addresses: ReadonlyArray<string | null>) {}

  /** What a query of one record gives now. */
  row(id: string): OrgRecord | undefined {
    const record = this.records.get(id);
    return record?.purged === true ? undefined : record;
  }

  /** Every record as it is now, in order of creation; purged ones too. */
  all(): OrgRecord[] {
    return [...this.records.values()];
  }

  /** Every state of every record, oldest first. */
  history(): readonly OrgRecord[] {
    return this.states;
  }

  create(type: OrgRecord['type'], fields: Fields, nowMs: number): OrgChange[] {
    const record: OrgRecord = {
      id: this.newId(type),
      type,
      createdMs: second(nowMs),
      modstampMs: second(nowMs),
      email: null,
      firstName: null,
      lastName: `L${this.states.length}`,
      own: null,
      optedOut: false,
      deleted: false,
      purged: false,
      masterId: null,
      convertedTo: null,
      ...fields,
    };
    this.put(record);
    return [{ type, id: record.id, changeType: 'CREATE', commitMs: nowMs }];
  }

  update(id: string, fields: Fields, nowMs: number): OrgChange[] {
    return [this.change(id, fields, nowMs)];
  }

  /** To a Contact that is there, or to a new one that takes over what the Lead says. The Contact's event comes first. */
  convert(leadId: string, contactId: string | null, nowMs: number): OrgChange[] {
    const { email, firstName, lastName, optedOut } = this.get(leadId);
    const [contact] =
      contactId === null
        ? this.create('Contact', { email, firstName, lastName, optedOut }, nowMs)
        : [this.change(contactId, {}, nowMs)];
    if (contact === undefined) throw new Error('unreachable');
    return [contact, this.change(leadId, { convertedTo: contact.id }, nowMs)];
  }

  /** The loser's event has no pointer to the winner. `fields`: what the winner takes over. */
  merge(winnerId: string, loserId: string, fields: Fields, nowMs: number): OrgChange[] {
    return [
      this.change(loserId, { deleted: true, masterId: winnerId }, nowMs, 'DELETE'),
      this.change(winnerId, fields, nowMs),
    ];
  }

  delete(id: string, nowMs: number): OrgChange[] {
    return [this.change(id, { deleted: true }, nowMs, 'DELETE')];
  }

  undelete(id: string, nowMs: number): OrgChange[] {
    return [this.change(id, { deleted: false, masterId: null }, nowMs, 'UNDELETE')];
  }

  /** No event says that the recycle bin was emptied. */
  purge(id: string): OrgChange[] {
    this.put({ ...this.get(id), purged: true });
    return [];
  }

  private get(id: string): OrgRecord {
    const record = this.records.get(id);
    if (record === undefined) throw new Error(`no record ${id}`);
    return record;
  }

  private change(id: string, changes: Partial<OrgRecord>, nowMs: number, changeType: ChangeType = 'UPDATE'): OrgChange {
    const { type } = this.put({ ...this.get(id), ...changes, modstampMs: second(nowMs) });
    return { type, id, changeType, commitMs: nowMs };
  }

  private put(record: OrgRecord): OrgRecord {
    this.records.set(record.id, record);
    this.states.push(record);
    return record;
  }

  /** Ids are not in the order of creation, so that no rule can lean on it. */
  private newId(type: OrgRecord['type']): string {
    this.serial += 1;
    const scattered = String((this.serial * 7) % 10) + String(this.serial).padStart(2, '0');
    const prefix = type === 'Lead' ? '00Q5f' : '0035f';
    return toRecordId(`${prefix}0000000${scattered}`) as string;
  }
}
