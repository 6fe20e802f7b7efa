import { describe, expect, it } from 'vitest';
import type { ProjectType } from '@libs/contracts';
import { toBulkUser } from './to-bulk-user.js';

const dataFields = { Name: { First: 'Ada' } };
const email = 'Ada@Example.com ';
const userId = '003Kd00000AbCdEIAV';

describe('toBulkUser', () => {
  it.each<[ProjectType, { email?: string; userId?: string }, object | null]>([
    ['email', { email }, { email: 'ada@example.com', dataFields }],
    ['email', { email, userId }, { email: 'ada@example.com', userId, dataFields }],
    ['email', { userId }, null],
    ['email', { email: ' ' }, null],
    ['user-id', { userId }, { userId, dataFields }],
    ['user-id', { email, userId }, { userId, dataFields: { ...dataFields, email: 'ada@example.com' } }],
    ['user-id', { email }, null],
    ['hybrid', { email, userId }, { userId, dataFields: { ...dataFields, email: 'ada@example.com' } }],
    ['hybrid', { email }, { email: 'ada@example.com', dataFields }],
    ['hybrid', {}, null],
  ])('in a %s project, %j', (type, identifiers, expected) => {
    const body = toBulkUser({ ...identifiers, dataFields }, type);
    expect(body).toEqual(expected === null ? null : { ...expected, mergeNestedObjects: true });
  });
});
