import { en, Faker } from '@faker-js/faker';

/** Plausible words to build records from. Drawing from a pool is many times faster than asking faker for each field. */
export interface WordPools {
  readonly firstNames: readonly string[];
  readonly lastNames: readonly string[];
  readonly companies: readonly string[];
  readonly titles: readonly string[];
  readonly departments: readonly string[];
  readonly streets: readonly string[];
  readonly cities: readonly Place[];
  readonly phrases: readonly string[];
}

export interface Place {
  readonly city: string;
  readonly state: string;
  readonly country: string;
}

/** The pools of a seed: always the same ones for the same seed. */
export function wordPools(seed: number): WordPools {
  const faker = new Faker({ locale: en, seed });
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  return {
    firstNames: many(800, () => faker.person.firstName()),
    lastNames: many(800, () => faker.person.lastName()),
    companies: many(3_000, () => faker.company.name()),
    titles: many(400, () => faker.person.jobTitle()),
    departments: many(30, () => faker.commerce.department()),
    streets: many(2_000, () => faker.location.streetAddress()),
    cities: many(600, () => ({
      city: faker.location.city(),
      state: faker.location.state({ abbreviated: true }),
      country: faker.number.float() < 0.85 ? 'United States' : faker.location.country().slice(0, 80),
    })),
    phrases: many(500, () => faker.company.catchPhrase()),
  };
}
