import { describe, expect, it } from 'vitest';
import { standardObjects } from '../schema/standard-objects.js';
import { field, type ObjectSchema } from '../schema/types.js';
import { channelsOf } from './channels.js';

const plan: ObjectSchema = {
  name: 'Plan__c',
  label: 'Plan',
  labelPlural: 'Plans',
  keyPrefix: 'a00',
  custom: true,
  childRelationshipName: null,
  writable: true,
  fields: [field('Id', 'id')],
};

describe('channelsOf', () => {
  it('makes one a selected entity, one of all, and the custom ones', () => {
    const channels = channelsOf(
      [...standardObjects, plan],
      ['Lead', 'Plan__c'],
      [{ name: 'Sync__chn', entities: ['Lead'] }],
    );
    expect(Object.fromEntries(channels)).toEqual({
      '/data/ChangeEvents': ['Lead', 'Plan__c'],
      '/data/LeadChangeEvent': ['Lead'],
      '/data/Plan__ChangeEvent': ['Plan__c'],
      '/data/Sync__chn': ['Lead'],
    });
  });

  it.each([
    ['no object Foo', ['Foo'], []],
    ['must end in __chn', [], [{ name: 'Sync', entities: ['Lead'] }]],
    ['names no known object: Foo', [], [{ name: 'Sync__chn', entities: ['Foo'] }]],
  ])('refuses: %s', (message, selected, custom) => {
    expect(() => channelsOf(standardObjects, selected, custom)).toThrow(message);
  });
});
