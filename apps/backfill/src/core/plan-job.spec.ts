import { describe, expect, it } from 'vitest';
import { planCommand } from './plan-job.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';
const ACCOUNT = '0015f00002JUX1JAAX';
const plan = (type: string, data: Record<string, unknown>) =>
  planCommand({ id: 'c1', type, data }, ['Lead', 'Contact']);

describe('planCommand', () => {
  it.each([
    [{ object: 'Lead' }, { kind: 'object', object: 'Lead' }],
    [
      { object: 'Lead', where: "Status = 'New'" },
      { kind: 'object', object: 'Lead', where: "Status = 'New'" },
    ],
    [
      { object: 'Lead', since: '2026-11-24T10:00:00Z' },
      { kind: 'object', object: 'Lead', sinceMs: Date.UTC(2026, 10, 24, 10) },
    ],
    [
      { object: 'Lead', since: '2026-11-24T10:00:00Z', hole: { reason: 'overflow', fromMs: 5 } },
      { kind: 'object', object: 'Lead', sinceMs: Date.UTC(2026, 10, 24, 10), hole: { reason: 'overflow', fromMs: 5 } },
    ],
    [
      // The mapping that reads it may be newer than ours
      { object: 'Invoice__c', fanOut: { from: 'Account', through: 'Contact__r.AccountId', ids: [ACCOUNT] } },
      {
        kind: 'object',
        object: 'Invoice__c',
        fanOut: { from: 'Account', through: 'Contact__r.AccountId', ids: [ACCOUNT] },
      },
    ],
    [{ ids: [LEAD, CONTACT, LEAD] }, { kind: 'ids', ids: [LEAD, CONTACT] }],
  ])('plans %j', (data, expected) => {
    expect(plan('backfill.start', data)).toEqual({ ok: true, plan: expected });
  });

  it.each([
    [
      'dead-letters.redrive',
      { codes: ['iterable.invalid_email'], from: '2026-11-24T10:00:00Z' },
      {
        kind: 'redrive',
        selection: { codes: ['iterable.invalid_email'], fromMs: Date.UTC(2026, 10, 24, 10), toMs: undefined },
      },
    ],
    [
      'dead-letters.redrive',
      { objects: ['Invoice__c'], ids: [LEAD], to: '2026-11-24T11:00:00+01:00' },
      {
        kind: 'redrive',
        selection: { objects: ['Invoice__c'], ids: [LEAD], toMs: Date.UTC(2026, 10, 24, 10), fromMs: undefined },
      },
    ],
    ['dead-letters.continue', { minutes: 30 }, { kind: 'continue', minutes: 30 }],
    ['dead-letters.continue', {}, { kind: 'continue', minutes: 10 }],
  ])('plans %s %j', (type, data, expected) => {
    expect(plan(type, data)).toEqual({ ok: true, plan: expected });
  });

  const FROM_AND_TO = { from: '2026-11-24T10:00:00Z', to: '2026-11-24T10:00:00Z' };
  it.each([
    ['dead-letters.redirve', { codes: ['x'] }, 'known: backfill.start, dead-letters.redrive, dead-letters.continue'],
    ['dead-letters.redrive', {}, 'data: say which: codes, objects, ids, from or to'],
    ['dead-letters.redrive', { codes: [] }, 'data.codes: '],
    ['dead-letters.redrive', { codes: 'iterable.invalid_email' }, 'data.codes: '],
    ['dead-letters.redrive', { objects: ["Lead' OR 1"] }, 'data.objects.0: not the API name of an object'],
    ['dead-letters.redrive', { ids: [LEAD, '00Q'] }, 'data.ids.1: not an 18-character Salesforce record id'],
    ['dead-letters.redrive', { from: 'yesterday' }, 'data.from: '],
    ['dead-letters.redrive', FROM_AND_TO, 'data: from must be before to'],
    ['dead-letters.redrive', { codes: ['x'], code: 'y' }, 'data: Unrecognized key: "code"'],
    ['dead-letters.continue', { minutes: 0 }, 'data.minutes: '],
    ['dead-letters.continue', { minutes: '10' }, 'data.minutes: '],
    ['dead-letters.continue', { hours: 1 }, 'data: Unrecognized key: "hours"'],
    ['constructor', {}, 'unknown command type "constructor"'],
    ['backfill.begin', { object: 'Lead' }, 'unknown command type "backfill.begin"; known: backfill.start'],
    ['backfill.start', {}, 'data: give either object or ids'],
    ['backfill.start', { object: 'Lead', ids: [LEAD] }, 'data: give either object or ids'],
    ['backfill.start', { ids: [LEAD], where: 'Id != null' }, 'data: where needs object'],
    [
      'backfill.start',
      { object: 'Opportunity' },
      'data.object: Opportunity has no mapping file; mapped objects: Lead, Contact',
    ],
    ['backfill.start', { object: "Lead' OR 1" }, 'data.object: not the API name of an object'],
    ['backfill.start', { object: 'Lead', where: '' }, 'data.where: '],
    ['backfill.start', { ids: ['00Q5f000005bwLF'] }, 'data.ids.0: not an 18-character Salesforce record id'],
    ['backfill.start', { ids: [] }, 'data.ids: '],
    [
      'backfill.start',
      { object: 'Lead', fanOut: { from: 'User', through: "OwnerId = 'x' OR Id", ids: [LEAD] } },
      'data.fanOut.through: not the path of a field',
    ],
    ['backfill.start', { object: 'Lead', fanOut: { from: 'User', through: 'OwnerId', ids: [] } }, 'data.fanOut.ids: '],
    [
      'backfill.start',
      { ids: [LEAD], fanOut: { from: 'User', through: 'OwnerId', ids: [LEAD] } },
      'data: fanOut needs object',
    ],
    [
      'backfill.start',
      { ids: [LEAD, ACCOUNT] },
      `data.ids: 1 of 2 are of no mapped object, e.g. ${ACCOUNT}; mapped objects: Lead, Contact`,
    ],
    ['backfill.start', { object: 'Lead', speed: 'fast' }, 'data: Unrecognized key: "speed"'],
  ])('refuses %s %j', (type, data, reason) => {
    const planned = plan(type, data);
    expect(planned).toMatchObject({ ok: false });
    expect(planned.ok ? '' : planned.reason).toContain(reason);
  });
});
