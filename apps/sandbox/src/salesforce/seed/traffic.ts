import { SalesforceError } from '../errors.js';
import type { Org } from '../org.js';
import { pick } from '../random.js';
import { LEAD_SOURCES, RATINGS } from '../schema/common-fields.js';
import type { ObjectSchema } from '../schema/types.js';
import type { Author } from '../writes/transaction.js';
import type { InputRecord } from '../writes/read-input.js';
import { emailOf, phone } from './make-records.js';
import { wordPools, type WordPools } from './word-pools.js';

export interface TrafficOptions {
  /** Changes a second, on average; at most 200. */
  readonly perSecond: number;
  readonly seed?: number;
}

/** A running generator of changes. */
export interface Traffic {
  stop(): void;
  /** Changes made so far. */
  readonly changes: number;
}

/** How an edit on a Lightning page shows in an event. Source: facts/salesforce.md §1.5. */
const PAGE_EDIT = 'com/salesforce/api/soap/68.0;client=SfdcInternalAPI/';
const TICK_MS = 250;
const MOST_PER_SECOND = 200;

/**
 * Keeps the org alive: people edit leads and contacts, new leads come in, an account changes now and then, an email address
 * rarely. Each change goes the way of a REST write, so that rows and events agree.
 */
export function startTraffic(org: Org, random: () => number, options: TrafficOptions): Traffic {
  if (!(options.perSecond > 0 && options.perSecond <= MOST_PER_SECOND)) {
    throw new Error(`traffic must be above 0 and at most ${MOST_PER_SECOND} changes a second`);
  }
  const pools = wordPools(options.seed ?? 1);
  const people = ownersOf(org);
  let owed = 0;
  let changes = 0;
  const timer = setInterval(() => {
    owed += (options.perSecond * TICK_MS) / 1000;
    for (; owed >= 1; owed -= 1) {
      if (attempt(() => change(org, random, pools, { userId: pick(random, people), changeOrigin: PAGE_EDIT })))
        changes += 1;
    }
  }, TICK_MS);
  timer.unref();
  return {
    stop: () => clearInterval(timer),
    get changes() {
      return changes;
    },
  };
}

/** The people who work in the org: everyone but the integration user. */
function ownersOf({ identity, schema, store }: Org): string[] {
  const user = schema.object('User');
  return user === null ? [] : store.firstIds(user, 1_000, false).filter((id) => id !== identity.userId);
}

/** A change that the org refuses, e.g. because a field was hidden meanwhile, is not made. */
function attempt(make: () => boolean): boolean {
  try {
    return make();
  } catch (error) {
    if (error instanceof SalesforceError) return false;
    throw error;
  }
}

/** Makes one change. Answers false when there was nothing to change. */
function change(org: Org, random: () => number, pools: WordPools, author: Author): boolean {
  const share = random();
  if (share < 0.15) {
    const lead = org.schema.object('Lead');
    if (lead === null) return false;
    org.writer.one({ kind: 'create', object: lead, input: newLead(org, lead, random, pools) }, author);
    return true;
  }
  const name = share < 0.7 ? 'Lead' : share < 0.95 ? 'Contact' : 'Account';
  const object = org.schema.object(name);
  const id = object === null ? null : org.store.idAtShare(object, random());
  if (object === null || id === null) return false;
  const record = org.store.get(object, id);
  if (record?.['IsDeleted'] !== 0 || record['IsConverted'] === 1) return false;
  const input = editOf(name, random, pools, org.store.createdCount(object));
  org.writer.one({ kind: 'update', object, id, input }, author);
  return true;
}

function newLead(org: Org, lead: ObjectSchema, random: () => number, pools: WordPools): InputRecord {
  const [first, last] = [pick(random, pools.firstNames), pick(random, pools.lastNames)];
  return {
    FirstName: first,
    LastName: last,
    Company: pick(random, pools.companies),
    Title: pick(random, pools.titles),
    Email: emailOf(first, last, org.store.createdCount(lead) + 1, 'example.com'),
    Phone: phone(random),
    LeadSource: pick(random, LEAD_SOURCES),
  };
}

/** One edit as a person would make it: one field, seldom two. */
function editOf(name: string, random: () => number, pools: WordPools, n: number): InputRecord {
  if (name === 'Account') {
    return random() < 0.5
      ? { Name: pick(random, pools.companies) }
      : { NumberOfEmployees: Math.ceil(random() * 9_000) };
  }
  const edits: Array<() => InputRecord> = [
    () => ({ Title: pick(random, pools.titles) }),
    () => ({ Phone: phone(random) }),
    () => ({ MobilePhone: random() < 0.3 ? null : phone(random) }),
    () => ({ HasOptedOutOfEmail: random() < 0.2 }),
    () => {
      const first = pick(random, pools.firstNames);
      return random() < 0.1
        ? { FirstName: first, Email: emailOf(first, 'moved', Math.floor(random() * 1e9) + n, 'example.com') }
        : { FirstName: first };
    },
    name === 'Lead'
      ? () => ({ Status: pick(random, ['Open - Not Contacted', 'Working - Contacted', 'Marketing Qualified']) })
      : () => ({ Department: pick(random, pools.departments) }),
    name === 'Lead' ? () => ({ Rating: pick(random, RATINGS) }) : () => ({ LeadSource: pick(random, LEAD_SOURCES) }),
  ];
  return pick(random, edits)();
}
