import { describe, expect, it } from 'vitest';
import type { ObjectShape } from '@libs/mapping';
import { readersOf, type Reading } from './readers.js';

type Lookup = readonly [field: string, relationship: string, ...to: string[]];

function shape(name: string, ...lookups: readonly Lookup[]): [string, ObjectShape] {
  const plain = { name: 'Name', type: 'string', relationshipName: null, referenceTo: [] };
  const fields = lookups.map(([field, relationshipName, ...referenceTo]) => ({
    name: field,
    type: 'reference',
    relationshipName,
    referenceTo,
  }));
  return [name, { name, fields: [plain, ...fields] }];
}

const shapes = new Map([
  shape('Lead', ['OwnerId', 'Owner', 'Group', 'User']),
  shape(
    'Contact',
    ['AccountId', 'Account', 'Account'],
    ['OwnerId', 'Owner', 'User'],
    ['Plan__c', 'Plan__r', 'Plan__c'],
  ),
  shape('Account', ['OwnerId', 'Owner', 'User'], ['ParentId', 'Parent', 'Account']),
  shape('Plan__c', ['Boss__c', 'Chief__r', 'Contact']),
  shape('Registration__c', ['Contact__c', 'Contact__r', 'Contact'], ['Lead__c', 'Lead__r', 'Lead']),
  shape('User'),
  shape('Group'),
]);

const reads = (object: string, parents: readonly string[], belongsTo: string | null = null): Reading => ({
  object,
  parents,
  belongsTo,
});

function readers(...readings: readonly Reading[]): Record<string, string[]> {
  const answer = readersOf(readings, shapes);
  if ('missing' in answer) throw new Error(`missing ${answer.missing.join()}`);
  const lines = [...answer.readers].map(
    ([parent, of]) => [parent, of.map(({ object, lookup }) => `${object}.${lookup}`)] as const,
  );
  return Object.fromEntries(lines);
}

describe('readersOf', () => {
  it.each<[string, Reading[], Record<string, string[]>]>([
    ['nothing but its own fields', [reads('Lead', [])], {}],
    ['a parent', [reads('Contact', ['Account'])], { Account: ['Contact.AccountId'] }],
    [
      'a parent of a parent: both count',
      [reads('Contact', ['Account', 'Account.Owner'])],
      { Account: ['Contact.AccountId'], User: ['Contact.Account.OwnerId'] },
    ],
    [
      'one object by two ways',
      [reads('Contact', ['Account', 'Account.Parent', 'Owner', 'Account.Owner'])],
      {
        Account: ['Contact.AccountId', 'Contact.Account.ParentId'],
        User: ['Contact.OwnerId', 'Contact.Account.OwnerId'],
      },
    ],
    [
      'a lookup to one of several objects',
      [reads('Lead', ['Owner'])],
      { Group: ['Lead.OwnerId'], User: ['Lead.OwnerId'] },
    ],
    [
      'custom lookups, whose names say nothing',
      [reads('Contact', ['Plan__r', 'Plan__r.Chief__r'])],
      { Plan__c: ['Contact.Plan__c'], Contact: ['Contact.Plan__r.Boss__c'] },
    ],
    [
      'one parent of several objects',
      [reads('Lead', ['Owner']), reads('Contact', ['Owner'])],
      { Group: ['Lead.OwnerId'], User: ['Lead.OwnerId', 'Contact.OwnerId'] },
    ],
    [
      'the person that it belongs to, once, whether it reads its fields or not',
      [reads('Registration__c', ['Contact__r', 'Contact__r.Account'], 'Contact__c')],
      { Contact: ['Registration__c.Contact__c'], Account: ['Registration__c.Contact__r.AccountId'] },
    ],
    [
      'the person that it belongs to through a parent, and the parent',
      [reads('Contact', [], 'Plan__r.Boss__c')],
      { Plan__c: ['Contact.Plan__c'], Contact: ['Contact.Plan__r.Boss__c'] },
    ],
  ])('%s', (_what, readings, expected) => {
    expect(readers(...readings)).toEqual(expected);
  });

  it('asks for the objects that it has not seen, level by level', () => {
    const readings = [reads('Contact', ['Account.Owner'])];
    expect(readersOf(readings, new Map())).toEqual({ missing: ['Contact'] });
    const some = new Map([...shapes].filter(([name]) => name === 'Contact'));
    expect(readersOf(readings, some)).toEqual({ missing: ['Account'] });
  });

  it('names a lookup that the org does not show, and passes over an object that it does not have', () => {
    const known = new Map([...shapes, ['Gone__c', { name: 'Gone__c', fields: [] }] as const]);
    const readings = [reads('Contact', ['Account.Region__r']), reads('Gone__c', ['Contact__r'], 'Contact__c')];
    expect(readersOf(readings, known)).toEqual({
      readers: new Map([['Account', [{ object: 'Contact', lookup: 'AccountId' }]]]),
      hidden: [{ object: 'Contact', path: 'Account.Region__r' }],
    });
  });
});
