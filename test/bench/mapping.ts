/**
 * How many records a second of processor time one core maps: the shipped Contact mapping, compiled, next to JSONata (the whole body as one
 * expression), lodash get and set, and object-mapper, in one run on the same rows. All must make the same bodies first. Then
 * the product by itself with a `when` and with transforms. `--records N`, `--rounds N`, `--json`.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { faker } from '@faker-js/faker';
import jsonata from 'jsonata';
import lodash from 'lodash';
import { compileMapping, parseMapping, type Mapping, type SourceRecord } from '@libs/mapping';

/** What a contender makes of a row: the body, with the address as it is in the row. */
type Body = Readonly<Record<string, unknown>>;

interface Contender {
  readonly name: string;
  /** Maps every row, one after the other, and gives the bodies. */
  readonly run: (rows: readonly SourceRecord[]) => Body[] | Promise<Body[]>;
}

// It comes without types
const objectMapper = createRequire(import.meta.url)('object-mapper') as (row: object, map: object) => Body;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const shipped = readFileSync('mappings/Contact.yaml', 'utf8');

function parsed(text: string): Mapping {
  const mapping = parseMapping('Contact.yaml', text);
  if (Array.isArray(mapping)) throw new Error(JSON.stringify(mapping));
  return mapping;
}

const { fields } = parsed(shipped);

/** What the org's describe says of the fields that need more than a copy. */
const fieldTypes = new Map([
  ...fields.map(({ source }) => [source, 'string'] as const),
  ['CreatedDate', 'datetime'] as const,
]);

/** A row as SOQL over REST gives it. One Contact in ten has no Account, some fields are empty. */
function makeRow(index: number): SourceRecord {
  const maybe = (value: string | number) => (faker.number.int(9) === 0 ? null : value);
  const stamp = `${faker.date.past({ refDate: '2026-11-24' }).toISOString().slice(0, 19)}.000+0000`;
  const id = (prefix: string) => `${prefix}4H00000${String(index).padStart(5, '0')}QAU`;
  const attributes = (type: string) => ({ type, url: `/services/data/v67.0/sobjects/${type}/${id('003')}` });
  return {
    attributes: attributes('Contact'),
    Id: id('003'),
    IsDeleted: false,
    SystemModstamp: stamp,
    CreatedDate: stamp,
    MasterRecordId: null,
    Email: `person${index}@example.com`,
    FirstName: maybe(faker.person.firstName()),
    LastName: faker.person.lastName(),
    Title: maybe(faker.person.jobTitle()),
    Department: maybe(faker.commerce.department()),
    Birthdate: maybe('1984-02-29'),
    Phone: maybe(faker.phone.number()),
    MobilePhone: maybe(faker.phone.number()),
    MailingCity: maybe(faker.location.city()),
    MailingState: maybe(faker.location.state()),
    MailingPostalCode: maybe(faker.location.zipCode()),
    MailingCountry: maybe(faker.location.country()),
    LeadSource: maybe('Web'),
    HasOptedOutOfEmail: false,
    Account:
      faker.number.int(9) === 0
        ? null
        : {
            attributes: attributes('Account'),
            Id: id('001'),
            SystemModstamp: stamp,
            Name: faker.company.name(),
            Industry: maybe('Banking'),
            Website: maybe('https://example.com'),
            NumberOfEmployees: maybe(faker.number.int(9_999)),
            Type: maybe('Customer'),
          },
    Owner: {
      attributes: attributes('User'),
      Id: id('005'),
      SystemModstamp: stamp,
      Name: faker.person.fullName(),
      Email: `owner${index % 50}@example.com`,
      IsActive: true,
    },
  };
}

/** The one conversion that these rows need, for those who bring none. */
function toDateTime(value: unknown): unknown {
  return typeof value === 'string' ? `${value.slice(0, 10)} ${value.slice(11, 19)} +00:00` : value;
}

function product(name: string, text: string): Contender {
  const compiled = compileMapping(parsed(text), { fieldTypes });
  return {
    name,
    run: async (rows) => {
      const bodies: Body[] = [];
      for (const row of rows) {
        const made = compiled.apply(row);
        const mapped = made instanceof Promise ? await made : made;
        if (mapped.kind === 'user') bodies.push({ email: mapped.email, dataFields: mapped.dataFields });
      }
      return bodies;
    },
  };
}

/** `{"email": Email, "dataFields": {"Name": {"First": …}}}`; an empty lookup gives null, as it must. */
function asJsonata(): string {
  const tree: Record<string, unknown> = {};
  for (const { source, target } of fields) {
    const value = source === 'CreatedDate' ? `$replace(${source}, /^(.{10})T(.{8}).*$/, "$1 $2 +00:00")` : source;
    lodash.set(tree, target, source.startsWith('Account.') ? `Account = null ? null : ${value}` : value);
  }
  const write = (node: unknown): string =>
    typeof node === 'string'
      ? `(${node})`
      : `{${Object.entries(node as object)
          .map(([name, inner]) => `"${name}": ${write(inner)}`)
          .join(', ')}}`;
  return write(tree);
}

function jsonataContender(): Contender {
  const expression = jsonata(asJsonata());
  return {
    name: 'JSONata, one expression',
    run: async (rows) => {
      const bodies: Body[] = [];
      for (const row of rows) bodies.push((await expression.evaluate(row)) as Body);
      return bodies;
    },
  };
}

const lodashContender: Contender = {
  name: 'lodash get and set',
  run: (rows) =>
    rows.map((row) => {
      const body: Record<string, unknown> = {};
      for (const { source, target } of fields) {
        const value: unknown = lodash.get(row, source, null);
        lodash.set(body, target, source === 'CreatedDate' ? toDateTime(value) : value);
      }
      return body;
    }),
};

function objectMapperContender(): Contender {
  const map = Object.fromEntries(
    fields.map(({ source, target }) => [
      source,
      // `?` writes a null; the default is for an Account that is not there
      { key: `${target}?`, transform: source === 'CreatedDate' ? toDateTime : undefined, default: () => null },
    ]),
  );
  return { name: 'object-mapper', run: (rows) => rows.map((row) => objectMapper(row, map)) };
}

/** Processor time of this thread, seconds: what else runs on the machine does not count. */
function threadSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

/** Records a second of each contender, the median of rounds in which they take turns. */
async function measure(
  contenders: readonly Contender[],
  some: readonly SourceRecord[],
  rounds: number,
): Promise<number[]> {
  const rates = contenders.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, { run }] of contenders.entries()) {
      const began = threadSeconds();
      await run(some);
      const rate = some.length / (threadSeconds() - began);
      if (round >= 0) rates[index]?.push(rate); // the first one warms up
    }
  }
  return rates.map((all) => all.toSorted((x, y) => x - y)[Math.floor(all.length / 2)] ?? 0);
}

faker.seed(1);
const rows = Array.from({ length: Number(values.records) }, (_, index) => makeRow(index));
const ours = product('salesforce-iterable-sync', shipped);
const others = [lodashContender, objectMapperContender(), jsonataContender()];
const wanted = await ours.run(rows.slice(0, 1_000));
for (const other of others) {
  const made = await other.run(rows.slice(0, 1_000));
  const differs = made.findIndex((body, index) => !isDeepStrictEqual(JSON.parse(JSON.stringify(body)), wanted[index]));
  if (differs !== -1) {
    throw new Error(`${other.name}: ${JSON.stringify(made[differs])}\n is not ${JSON.stringify(wanted[differs])}`);
  }
}
const condition = 'when: $not(HasLeft__c = true) and $exists(LastName)\n';
const transform = "transform:\n  dataFields.FullName: $trim(FirstName & ' ' & LastName)\n";
const contenders = [
  ours,
  ...others,
  product('ours with a when', `${shipped}\n${condition}`),
  product('ours with a when and a transform', `${shipped}\n${condition}${transform}`),
];
const rates = await measure(contenders, rows, Number(values.rounds));
const results = contenders.map(({ name }, index) => ({ name, recordsPerSecond: Math.round(rates[index] ?? 0) }));
const [first] = results;
const machine = { cpu: cpus()[0]?.model ?? 'unknown', node: process.version };
const lines = results.map(({ name, recordsPerSecond }) => {
  const share = (first?.recordsPerSecond ?? 0) / recordsPerSecond;
  return `${name.padEnd(34)} ${String(recordsPerSecond).padStart(9)} records/s   ${share.toFixed(1).padStart(6)} : 1`;
});
const title = `${fields.length} fields, ${rows.length} Contacts, one core (${machine.cpu}), Node ${machine.node}, median of ${values.rounds}`;
process.stdout.write(values.json ? `${JSON.stringify({ machine, results })}\n` : `${[title, ...lines].join('\n')}\n`);
