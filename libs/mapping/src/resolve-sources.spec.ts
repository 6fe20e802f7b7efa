import { describe, expect, it } from 'vitest';
import type { Mapping } from './mapping.js';
import { resolveSources, type ObjectShape } from './resolve-sources.js';

function shape(
  name: string,
  fields: Record<string, string>,
  lookups: Record<string, [string, string[]]> = {},
): ObjectShape {
  return {
    name,
    fields: [
      ...Object.entries(fields).map(([field, type]) => ({
        name: field,
        type,
        relationshipName: null,
        referenceTo: [],
      })),
      ...Object.entries(lookups).map(([field, [relationshipName, referenceTo]]) => ({
        name: field,
        type: 'reference',
        relationshipName,
        referenceTo,
      })),
    ],
  };
}

const system = { Id: 'id', SystemModstamp: 'datetime', IsDeleted: 'boolean' };
const shapes = new Map(
  [
    shape('Contact', { ...system, Email: 'email', LastName: 'string' }, { AccountId: ['Account', ['Account']] }),
    shape('Account', { ...system, Name: 'string' }, { OwnerId: ['Owner', ['User']] }),
    shape('Lead', { ...system, Email: 'email' }, { OwnerId: ['Owner', ['Group', 'User']] }),
    shape('User', { Id: 'id', SystemModstamp: 'datetime', Name: 'string', IsActive: 'boolean' }),
    shape('Group', { Id: 'id', SystemModstamp: 'datetime', Name: 'string' }),
  ].map((object) => [object.name, object]),
);

function mapping(object: string, sources: readonly string[]): Mapping {
  return {
    file: 'x.yaml',
    object,
    fields: sources.map((source, index) => ({ source, target: `dataFields.F${index}` })),
  };
}

describe('resolveSources', () => {
  it('finds types, system fields and parents through relationships', () => {
    expect(resolveSources(mapping('Contact', ['Email', 'Account.Name', 'Account.Owner.IsActive']), shapes)).toEqual({
      fieldTypes: new Map([
        ['Email', 'email'],
        ['Account.Name', 'string'],
        ['Account.Owner.IsActive', 'boolean'],
      ]),
      systemFields: new Set(['SystemModstamp', 'IsDeleted', 'Account.SystemModstamp', 'Account.Owner.SystemModstamp']),
      parents: new Map([
        ['Account', ['Account']],
        ['Account.Owner', ['User']],
      ]),
      unknown: [],
    });
  });

  it('reads no SystemModstamp of an owner that may be a queue', () => {
    expect(resolveSources(mapping('Lead', ['Email', 'Owner.Name', 'Owner.IsActive']), shapes)).toMatchObject({
      systemFields: new Set(['SystemModstamp', 'IsDeleted']),
      parents: new Map([['Owner', ['Group', 'User']]]),
      unknown: [],
    });
  });

  it('names what the org does not show, with what was meant', () => {
    expect(
      resolveSources(mapping('Contact', ['email', 'LastNam', 'Acount.Name', 'Account.Nmae', 'Score__c']), shapes),
    ).toMatchObject({
      unknown: [
        { source: 'email', suggestion: 'Email' },
        { source: 'LastNam', suggestion: 'LastName' },
        { source: 'Acount.Name' },
        { source: 'Account.Nmae', suggestion: 'Account.Name' },
        { source: 'Score__c' },
      ],
    });
  });

  it('asks for the objects that it needs next, level by level', () => {
    const asked = mapping('Contact', ['Email', 'Account.Owner.IsActive']);
    const known = new Map<string, ObjectShape>();
    const rounds: string[][] = [];
    for (let answer = resolveSources(asked, known); 'missing' in answer; answer = resolveSources(asked, known)) {
      rounds.push([...answer.missing]);
      for (const name of answer.missing) known.set(name, shapes.get(name) as ObjectShape);
    }
    expect(rounds).toEqual([['Contact'], ['Account'], ['User']]);
  });
});
