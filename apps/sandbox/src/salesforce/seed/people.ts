import { en, Faker } from '@faker-js/faker';
import type { RecordStore } from '../store/record-store.js';
import type { ObjectSchema } from '../schema/types.js';

/** Users that own records, besides the integration user. */
export const OWNERS = 20;
const QUEUES = ['Inbound Leads', 'Partner Leads'];
/** The same people in every org, whatever the seed of its records. */
const PEOPLE_SEED = 20;
const FIFTY_DAYS_MS = 50 * 86_400_000;

function objectNamed(store: RecordStore, name: string): ObjectSchema {
  const object = store.schema.object(name);
  if (object === null) throw new Error(`the org has no object ${name}`);
  return object;
}

/** Creates the integration user, the owners and the queues. Answers the integration user's id. */
export function seedPeople(store: RecordStore, now: number): string {
  const faker = new Faker({ locale: en, seed: PEOPLE_SEED });
  const user = objectNamed(store, 'User');
  const group = objectNamed(store, 'Group');
  const integrationUser = store.nextId(user);
  const stamp = Math.floor((now - FIFTY_DAYS_MS) / 1000) * 1000;
  const audit = {
    CreatedDate: stamp,
    CreatedById: integrationUser,
    LastModifiedDate: stamp,
    LastModifiedById: integrationUser,
    SystemModstamp: stamp,
  };
  store.transaction(() => {
    store.insert(user, {
      ...audit,
      Id: integrationUser,
      Username: 'sandbox',
      FirstName: 'Integration',
      LastName: 'User',
      Alias: 'integ',
      Email: 'integration.user@sandbox.example.com',
      IsActive: 1,
    });
    const manager = store.nextId(user);
    for (let n = 1; n <= OWNERS; n += 1) {
      const [first, last] = [faker.person.firstName(), faker.person.lastName()];
      const name = `${first}.${last}`.toLowerCase().replaceAll(/[^a-z.]/g, '');
      store.insert(user, {
        ...audit,
        Id: n === 1 ? manager : store.nextId(user),
        Username: `${name}@sandbox.example.com.invalid`,
        FirstName: first,
        LastName: last,
        Alias: name.slice(0, 8),
        Email: `${name}@sandbox.example.com`,
        Title: n === 1 ? 'Head of Sales' : 'Account Executive',
        Department: 'Sales',
        Phone: faker.phone.number({ style: 'national' }),
        // One of them has left: an inactive owner is a usual sight.
        IsActive: n === OWNERS ? 0 : 1,
        ManagerId: n === 1 ? null : manager,
      });
    }
    for (const name of QUEUES) {
      store.insert(group, {
        ...audit,
        Id: store.nextId(group),
        Name: name,
        DeveloperName: name.replaceAll(' ', '_'),
        Email: `${name.toLowerCase().replaceAll(' ', '.')}@sandbox.example.com`,
        Type: 'Queue',
      });
    }
  });
  return integrationUser;
}
