import { describe, expect, it } from 'vitest';
import { parseMappingFiles } from '@libs/mapping';
import { channelOf, defaultChannels, objectsByChannel } from './channels.js';

const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';
const ACCOUNTS = '/data/AccountChangeEvent';
const USERS = '/data/UserChangeEvent';
const owners = { owners: true };
const noOwners = { owners: false };

function mappings(objects: Record<string, readonly string[]>) {
  const files = Object.entries(objects).map(([object, sources]) => {
    const lines = sources.map((source, index) => `  ${source}: dataFields.f${index}`);
    return { name: `${object}.yaml`, text: [`object: ${object}`, 'fields:', '  Email: email', ...lines].join('\n') };
  });
  return parseMappingFiles(files);
}

it.each([
  ['Lead', LEADS],
  ['Invoice__c', '/data/Invoice__ChangeEvent'],
])('the channel of %s', (object, channel) => {
  expect(channelOf(object)).toBe(channel);
});

describe('objectsByChannel', () => {
  const channels = [
    LEADS,
    USERS,
    '/data/Invoice__ChangeEvent',
    '/data/ns__Bill__ChangeEvent',
    '/data/ChangeEvents',
    '/data/X__chn',
  ];

  it.each([
    [owners, ['Lead', 'User']],
    [noOwners, ['Lead']],
  ])('tells of its own object, or of every object that a mapping reads (%j)', (following, read) => {
    expect([...objectsByChannel(channels, mappings({ Lead: ['Owner.Name'] }), following)]).toEqual([
      [LEADS, ['Lead']],
      [USERS, ['User']],
      ['/data/Invoice__ChangeEvent', ['Invoice__c']],
      ['/data/ns__Bill__ChangeEvent', ['ns__Bill__c']],
      ['/data/ChangeEvents', read],
      ['/data/X__chn', read],
    ]);
  });
});

describe('defaultChannels', () => {
  it.each([
    ['what is mapped', { Lead: [] }, owners, [LEADS]],
    ['the Account that is read', { Contact: ['Account.Name', 'Account.Industry'] }, owners, [CONTACTS, ACCOUNTS]],
    ['owners', { Lead: ['Owner.Name'] }, owners, [LEADS, USERS]],
    ['no owners where they are switched off', { Lead: ['Owner.Name'] }, noOwners, [LEADS]],
    ['parents of parents', { Contact: ['Account.Owner.Name'] }, owners, [CONTACTS, ACCOUNTS, USERS]],
    ['whoever made it', { Lead: ['CreatedBy.Name', 'LastModifiedBy.Name'] }, owners, [LEADS, USERS]],
    ['a mapped object once', { Contact: ['ReportsTo.Name'] }, owners, [CONTACTS]],
    ['no parents whose object only the org knows', { Lead: ['Plan__r.Name'] }, owners, [LEADS]],
    [
      'every object once',
      { Contact: ['Owner.Name', 'Account.Name'], Lead: ['Owner.Name'] },
      owners,
      [CONTACTS, LEADS, ACCOUNTS, USERS],
    ],
  ])('follows %s', (_what, objects, following, expected) => {
    expect(defaultChannels(mappings(objects as Record<string, string[]>), following)).toEqual(expected);
  });
});
