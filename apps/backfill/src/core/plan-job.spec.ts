import { describe, expect, it } from 'vitest';
import { planJob } from './plan-job.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';
const ACCOUNT = '0015f00002JUX1JAAX';
const plan = (type: string, data: Record<string, unknown>) => planJob({ id: 'c1', type, data }, ['Lead', 'Contact']);

describe('planJob', () => {
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
