import { describe, expect, it } from 'vitest';
import { bulkBody, type BodyOptions } from './bulk-body.js';
import type { ProfileKey } from './profile-key.js';

const on = { email: 'ada@example.com' };
const byId = { userId: '00Q5f000005bwLFEAY' };

describe('bulkBody', () => {
  it.each<[string, ProfileKey, string, BodyOptions, object]>([
    ['by email', on, '{"A":1}', {}, { ...on, mergeNestedObjects: true, dataFields: { A: 1 } }],
    [
      'by email, a user id goes along and an address is no field',
      on,
      '{"A":1}',
      { userId: 'u1', email: 'other@example.com' },
      { ...on, userId: 'u1', mergeNestedObjects: true, dataFields: { A: 1 } },
    ],
    [
      'by user id, the address is a field',
      byId,
      '{"A":1}',
      { email: 'ada@example.com' },
      { ...byId, mergeNestedObjects: true, dataFields: { email: 'ada@example.com', A: 1 } },
    ],
    [
      'by user id, the address is taken away',
      byId,
      '{}',
      { email: null },
      { ...byId, mergeNestedObjects: true, dataFields: { email: null } },
    ],
    ['no field', byId, '{}', {}, { ...byId, mergeNestedObjects: true, dataFields: {} }],
    ['replacing', on, '{}', { replaceNested: true }, { ...on, mergeNestedObjects: false, dataFields: {} }],
  ])('%s', (_, profile, fields, options, expected) => {
    const { json, bytes } = bulkBody(profile, fields, options);
    expect(JSON.parse(json)).toEqual(expected);
    expect(bytes).toBe(Buffer.byteLength(json));
  });

  it('names every identifier that an answer may name', () => {
    expect(bulkBody(on, '{}', { userId: 'u1' })).toMatchObject({ emails: [on.email], userIds: ['u1'] });
    expect(bulkBody(byId, '{}', { email: on.email })).toMatchObject({ emails: [on.email], userIds: [byId.userId] });
    // Answers name addresses in lower case, whatever was sent.
    const { json, emails } = bulkBody({ email: 'Ada@Example.com' }, '{}', { email: 'ADA@example.com' });
    expect([JSON.parse(json), emails]).toMatchObject([{ email: 'Ada@Example.com' }, ['ada@example.com']]);
    expect(bulkBody(byId, '{}', { email: null })).toMatchObject({ emails: [], userIds: [byId.userId] });
  });
});
