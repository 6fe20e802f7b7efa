import { describe, expect, it } from 'vitest';
import type { ProfileSchema } from '@libs/contracts';
import { differentFields, missingFields, seedFields, seedProfile } from './seed.js';

const schema: ProfileSchema = {
  object: 'Lead',
  mappingVersion: 'v1',
  fields: {
    Name: { type: 'object' },
    'Name.First': { type: 'string' },
    'Name.Age': { type: 'long' },
    Revenue: { type: 'double' },
    Active: { type: 'boolean' },
    Since: { type: 'date' },
    phoneNumber: { type: 'string' },
  },
};
const map = (types: Readonly<Record<string, string>>) => new Map(Object.entries(types));

describe('seeding', () => {
  it('gives each missing field a value that is of one type only', () => {
    const missing = missingFields(schema, map({}));
    expect(missing).toEqual(['Name.First', 'Name.Age', 'Revenue', 'Active', 'Since']);
    expect(seedFields(schema, missing)).toEqual({
      Name: { First: 'text', Age: 1 },
      Revenue: 0.5,
      Active: true,
      Since: '2000-01-01 00:00:00 +00:00',
    });
  });

  it('leaves alone what the project has, also as something else, and what cannot be below a field', () => {
    const known = map({ Name: 'string', Revenue: 'long', Active: 'boolean' });
    expect(missingFields(schema, known)).toEqual(['Since']);
    expect(differentFields(schema, known)).toEqual(['Name', 'Revenue']);
  });

  it.each([
    ['email', { email: 'salesforce-iterable-sync.field-types@placeholder.email' }],
    ['user-id', { userId: 'salesforce-iterable-sync.field-types' }],
    ['hybrid', { userId: 'salesforce-iterable-sync.field-types' }],
  ] as const)('uses a profile that nobody mails: %s', (projectType, profile) => {
    expect(seedProfile(projectType)).toEqual(profile);
  });
});
