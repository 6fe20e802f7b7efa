import { INDUSTRIES, LEAD_SOURCES, RATINGS } from '../schema/common-fields.js';
import { LEAD_STATUSES } from '../schema/standard-objects.js';
import { pick } from '../random.js';
import type { StoredRecord } from '../store/values.js';
import type { WordPools } from './word-pools.js';

const YEAR_MS = 365 * 86_400_000;
const SECOND_MS = 1_000;
const OPEN_STATUSES = LEAD_STATUSES.filter((one) => one !== 'Closed - Converted');

/** What making a record draws from. */
export interface Draw {
  readonly random: () => number;
  readonly pools: WordPools;
  /** Latest time a record was touched, epoch milliseconds. */
  readonly until: number;
  readonly owners: readonly string[];
  readonly queues: readonly string[];
  readonly userId: string;
}

/** A lead. `n` numbers the leads of the org and makes the email unique. */
export function makeLead(draw: Draw, id: string, n: number): StoredRecord {
  const { random, pools } = draw;
  const person = makePerson(draw, n, chance(random, 0.9) ? 'example.com' : 'example.net');
  const company = pick(random, pools.companies);
  return {
    ...person,
    ...address(draw, ''),
    ...audit(draw),
    Id: id,
    Company: company,
    Website: maybe(random, 0.4, () => website(company)),
    Status: pick(random, OPEN_STATUSES),
    Industry: maybe(random, 0.7, () => pick(random, INDUSTRIES)),
    Rating: maybe(random, 0.4, () => pick(random, RATINGS)),
    AnnualRevenue: maybe(random, 0.3, () => Math.round(random() * 5_000) * 10_000),
    NumberOfEmployees: maybe(random, 0.5, () => employees(random)),
    OwnerId: chance(random, 0.05) ? pick(random, draw.queues) : pick(random, draw.owners),
    Description: maybe(random, 0.1, () => pick(random, pools.phrases)),
    IsConverted: 0,
    IsUnreadByOwner: chance(random, 0.3) ? 1 : 0,
  };
}

/** A contact of an account, or a private one. */
export function makeContact(draw: Draw, id: string, n: number, accountId: string | null): StoredRecord {
  const { random, pools } = draw;
  return {
    ...makePerson(draw, n, 'example.org'),
    ...address(draw, 'Mailing'),
    ...audit(draw),
    Id: id,
    AccountId: accountId,
    Department: maybe(random, 0.5, () => pick(random, pools.departments)),
    HomePhone: maybe(random, 0.1, () => phone(random)),
    Birthdate: maybe(random, 0.4, () =>
      new Date(Date.UTC(1955 + random() * 50, random() * 12, 1 + random() * 28)).toISOString().slice(0, 10),
    ),
    OwnerId: pick(random, draw.owners),
  };
}

export function makeAccount(draw: Draw, id: string, n: number, parentId: string | null): StoredRecord {
  const { random, pools } = draw;
  const name = pick(random, pools.companies);
  return {
    ...address(draw, 'Billing'),
    ...audit(draw),
    Id: id,
    Name: name,
    ParentId: parentId,
    Type: maybe(random, 0.8, () =>
      pick(random, ['Prospect', 'Customer - Direct', 'Customer - Channel', 'Partner', 'Other']),
    ),
    AccountNumber: `A-${100_000 + n}`,
    Phone: maybe(random, 0.8, () => phone(random)),
    Website: maybe(random, 0.7, () => website(name)),
    Industry: maybe(random, 0.8, () => pick(random, INDUSTRIES)),
    AnnualRevenue: maybe(random, 0.5, () => Math.round(random() * 50_000) * 10_000),
    NumberOfEmployees: maybe(random, 0.7, () => employees(random)),
    Rating: maybe(random, 0.4, () => pick(random, RATINGS)),
    AccountSource: maybe(random, 0.6, () => pick(random, LEAD_SOURCES)),
    OwnerId: pick(random, draw.owners),
  };
}

function makePerson({ random, pools }: Draw, n: number, domain: string): StoredRecord {
  const [first, last] = [pick(random, pools.firstNames), pick(random, pools.lastNames)];
  return {
    LastName: last,
    FirstName: maybe(random, 0.98, () => first),
    Salutation: maybe(random, 0.2, () => pick(random, ['Mr.', 'Ms.', 'Mrs.', 'Dr.'])),
    Title: maybe(random, 0.85, () => pick(random, pools.titles)),
    Email: maybe(random, 0.99, () => emailOf(first, last, n, domain)),
    Phone: maybe(random, 0.8, () => phone(random)),
    MobilePhone: maybe(random, 0.3, () => phone(random)),
    LeadSource: maybe(random, 0.9, () => pick(random, LEAD_SOURCES)),
    HasOptedOutOfEmail: chance(random, 0.04) ? 1 : 0,
    HasOptedOutOfFax: 0,
    DoNotCall: chance(random, 0.02) ? 1 : 0,
  };
}

/** An address nobody owns, unique by its number. */
export function emailOf(first: string, last: string, n: number, domain: string): string {
  const name = `${first}.${last}`.toLowerCase().replaceAll(/[^a-z.]/g, '');
  return `${name.slice(0, 50)}.${n}@${domain}`;
}

export function phone(random: () => number): string {
  const digits = (count: number) => String(Math.floor(random() * 10 ** count)).padStart(count, '0');
  return `(${200 + Math.floor(random() * 799)}) 555-${digits(4)}`;
}

function address({ random, pools }: Draw, prefix: string): StoredRecord {
  if (!chance(random, 0.8)) return {};
  const place = pick(random, pools.cities);
  return {
    [`${prefix}Street`]: pick(random, pools.streets),
    [`${prefix}City`]: place.city.slice(0, 40),
    [`${prefix}State`]: place.state,
    [`${prefix}PostalCode`]: String(10_000 + Math.floor(random() * 89_999)),
    [`${prefix}Country`]: place.country,
  };
}

/** Created in the last three years; modified since; the system touched some later still. */
function audit({ random, until, userId }: Draw): StoredRecord {
  const second = (ms: number) => Math.floor(ms / SECOND_MS) * SECOND_MS;
  const created = until - random() * 3 * YEAR_MS;
  const modified = created + random() ** 2 * (until - created);
  const touched = chance(random, 0.1) ? modified + random() * (until - modified) : modified;
  return {
    IsDeleted: 0,
    CreatedDate: second(created),
    CreatedById: userId,
    LastModifiedDate: second(modified),
    LastModifiedById: userId,
    SystemModstamp: second(touched),
  };
}

const chance = (random: () => number, share: number): boolean => random() < share;
const maybe = <T>(random: () => number, share: number, make: () => T): T | null => (random() < share ? make() : null);
const employees = (random: () => number): number => Math.ceil(Math.exp(random() * 9));
const website = (company: string): string =>
  `https://www.${company
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)}.example`;
