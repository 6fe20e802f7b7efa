import type { Org, OrgChange, OrgRecord } from './org.js';

/** What a user of the org does. `who`, `whom` and `what` choose among what there is, whatever their size. */
export interface Operation {
  readonly kind:
    | 'create-lead'
    | 'create-contact'
    | 'edit'
    | 'email'
    | 'opt-out'
    | 'opt-in'
    | 'convert-to-new'
    | 'convert-to-existing'
    | 'merge'
    | 'delete'
    | 'undelete'
    | 'purge';
  readonly who: number;
  readonly whom: number;
  readonly what: number;
}

/** Records that are neither deleted nor converted: few, so that they meet at the addresses. */
const MOST_LIVE = 8;
const FIRST_NAMES = ['Ada', 'Bo', 'Cy', 'Di', null];
const OWN = ['Hot', 'Warm', 'Cold', null];

/** Does it, or an edit where there is nothing to do it to. Returns the change events of its transaction. */
export function perform(org: Org, { kind, who, whom, what }: Operation, nowMs: number): OrgChange[] {
  const standing = org.all().filter((record) => !record.deleted);
  const live = standing.filter((record) => record.convertedTo === null);
  const bin = org.all().filter((record) => record.deleted && !record.purged);
  const subject = pick(live, who);
  const fields = {
    email: org.addresses[what % org.addresses.length] ?? null,
    firstName: FIRST_NAMES[what % FIRST_NAMES.length] ?? null,
    own: OWN[what % OWN.length] ?? null,
  };
  if (kind === 'create-lead' && live.length < MOST_LIVE) return org.create('Lead', fields, nowMs);
  if ((kind === 'create-contact' && live.length < MOST_LIVE) || subject === undefined) {
    return org.create('Contact', fields, nowMs);
  }
  const edit = () => org.update(subject.id, editOf(fields, what, nowMs), nowMs);
  switch (kind) {
    case 'email':
      return org.update(subject.id, { email: fields.email }, nowMs);
    case 'opt-out':
    case 'opt-in':
      return org.update(subject.id, { optedOut: kind === 'opt-out' }, nowMs);
    case 'convert-to-new':
    case 'convert-to-existing': {
      const lead = pick(
        live.filter(({ type }) => type === 'Lead'),
        who,
      );
      const contact = pick(
        live.filter(({ type }) => type === 'Contact'),
        whom,
      );
      if (lead === undefined) return edit();
      return org.convert(lead.id, kind === 'convert-to-new' ? null : (contact?.id ?? null), nowMs);
    }
    case 'merge': {
      const loser = pick(
        live.filter(({ type, id }) => type === subject.type && id !== subject.id),
        whom,
      );
      if (loser === undefined) return edit();
      return org.merge(subject.id, loser.id, what % 3 === 0 ? { email: loser.email } : {}, nowMs);
    }
    case 'delete':
      return org.delete((pick(standing, who) as OrgRecord).id, nowMs);
    case 'undelete':
    case 'purge': {
      const old = pick(bin, who);
      if (old === undefined) return edit();
      return kind === 'undelete' ? org.undelete(old.id, nowMs) : org.purge(old.id);
    }
    default:
      return edit();
  }
}

function pick(from: readonly OrgRecord[], by: number): OrgRecord | undefined {
  return from[by % from.length];
}

function editOf(fields: Pick<OrgRecord, 'firstName' | 'own'>, what: number, nowMs: number): Partial<OrgRecord> {
  const edits = [{ lastName: `L${nowMs}` }, { firstName: fields.firstName }, { own: fields.own }];
  return edits[what % edits.length] ?? {};
}
