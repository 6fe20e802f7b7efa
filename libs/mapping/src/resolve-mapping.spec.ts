import { expect, it } from 'vitest';
import type { Mapping } from './mapping.js';
import { resolveMapping } from './resolve-mapping.js';
import type { ObjectShape } from './resolve-sources.js';

const field = (name: string, referenceTo: readonly string[] = []) => ({
  name,
  type: referenceTo.length > 0 ? 'reference' : 'string',
  relationshipName: referenceTo.length > 0 ? name.replace(/Id$/, '') : null,
  referenceTo,
});
const org: Readonly<Record<string, ObjectShape>> = {
  Contact: { name: 'Contact', fields: [field('Email'), field('AccountId', ['Account'])] },
  Account: { name: 'Account', fields: [field('Name'), field('OwnerId', ['User'])] },
  User: { name: 'User', fields: [field('Email')] },
};
const mapping: Mapping = {
  file: 'Contact.yaml',
  object: 'Contact',
  fields: [{ source: 'Account.Owner.Email', target: 'email' }],
};

it('describes each object once, level by level, and what is known already not again', async () => {
  const asked: string[] = [];
  const describe = async (name: string) => {
    asked.push(name);
    return org[name] as ObjectShape;
  };
  const shapes = new Map<string, ObjectShape>();
  const { fieldTypes, unknown } = await resolveMapping(mapping, describe, shapes);
  expect([...fieldTypes.keys()]).toEqual(['Account.Owner.Email']);
  expect(unknown).toEqual([]);
  expect(asked).toEqual(['Contact', 'Account', 'User']);
  await resolveMapping({ ...mapping, fields: [{ source: 'Account.Name', target: 'email' }] }, describe, shapes);
  expect(asked).toHaveLength(3);
});
