import { describe, expect, it } from 'vitest';
import { toIdentity } from './to-identity.js';

const ID = '00Q5f000005bwLFEAY';
const dataFields = { Title: 'CEO' };

describe('toIdentity', () => {
  it.each([
    ['email', { email: 'a@x.io' }, { email: 'a@x.io', dataFields }],
    ['email', { email: 'a@x.io', userId: 'u1' }, { email: 'a@x.io', userId: 'u1', dataFields }],
    ['user-id', { email: 'a@x.io' }, { userId: ID, email: 'a@x.io', dataFields }],
    ['user-id', { email: 'a@x.io', userId: 'u1' }, { userId: 'u1', email: 'a@x.io', dataFields }],
    ['user-id', { email: null }, { userId: ID, email: null, dataFields }],
    ['user-id', { email: 'no' }, { userId: ID, email: null, dataFields }],
    ['user-id', {}, { userId: ID, dataFields }],
    ['hybrid', { email: 'a@x.io' }, { userId: ID, email: 'a@x.io', dataFields }],
    ['hybrid', { email: null }, { userId: ID, email: null, dataFields }],
  ] as const)('%s project, %j', (projectType, identity, user) => {
    expect(toIdentity(projectType, { ...identity, dataFields }, ID)).toStrictEqual({ kind: 'ok', user });
  });

  it.each([
    ['email', { email: null }, 'mapping.no_email'],
    ['email', { userId: 'u1' }, 'mapping.no_email'],
    ['email', { email: 'no' }, 'mapping.invalid_email'],
    ['email', { email: 'a@x.io', userId: 'é' }, 'mapping.invalid_user_id'],
    ['user-id', { userId: 'x'.repeat(53) }, 'mapping.invalid_user_id'],
    ['user-id', { userId: 'ends in a blank ' }, 'mapping.invalid_user_id'],
  ] as const)('%s project skips %j: %s', (projectType, identity, reason) => {
    expect(toIdentity(projectType, { ...identity, dataFields }, ID)).toEqual({ kind: 'skip', reason });
  });

  it('does not touch what was mapped', () => {
    const mapped = { email: 'a@x.io', dataFields: Object.freeze({ Title: 'CEO' }) };
    expect(() => toIdentity('hybrid', mapped, ID)).not.toThrow();
    expect(mapped.dataFields).toEqual({ Title: 'CEO' });
  });
});
