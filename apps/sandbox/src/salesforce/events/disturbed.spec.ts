import { describe, expect, it } from 'vitest';
import { Faults, type Fault } from '../../faults.js';
import type { ChangeEvent, ChangeType } from './change-event.js';
import { disturbed } from './disturbed.js';

const event = (entity: string, changeType: ChangeType, recordIds: string[]): ChangeEvent => ({
  entity,
  changeType,
  recordIds,
  changeOrigin: '',
  transactionKey: 'key',
  sequenceNumber: 1,
  commitTimestamp: 0,
  commitNumber: '1',
  commitUser: '',
  changedFields: ['Title'],
  nulledFields: [],
  body: { Title: 'x' },
});
const faultsWith = (fault: Partial<Fault>) => {
  const faults = new Faults(() => 0);
  faults.add({ system: 'salesforce', kind: 'event-gap', rate: 1, options: {}, ...fault });
  return faults;
};
const told = (events: readonly ChangeEvent[]) => events.map((one) => [one.entity, one.changeType, one.recordIds]);
const lead = '00Q5f000005bwLFEAY';
const account = '0015f00002JUX1JAAX';

describe('faults of the event bus', () => {
  it('leave events alone when there are none', () => {
    const events = [event('Lead', 'UPDATE', [lead])];
    expect(disturbed(events, new Faults(() => 0))).toEqual(events);
  });

  it.each<[ChangeType, ChangeType]>([
    ['CREATE', 'GAP_CREATE'],
    ['UPDATE', 'GAP_UPDATE'],
    ['DELETE', 'GAP_DELETE'],
    ['UNDELETE', 'GAP_UNDELETE'],
    ['GAP_UPDATE', 'GAP_UPDATE'],
  ])('turn %s into %s', (changeType, gap) => {
    const [made] = disturbed([event('Lead', changeType, [lead])], faultsWith({}));
    expect(made).toMatchObject({ changeType: gap, recordIds: [lead], transactionKey: 'key' });
  });

  it('leave no fields, and name a wildcard if asked to', () => {
    const [made] = disturbed([event('Lead', 'UPDATE', [lead])], faultsWith({ options: { wildcard: true } }));
    expect(made).toMatchObject({ recordIds: ['00Q*'], body: {}, changedFields: [] });
  });

  it('strike one object only, once if so asked', () => {
    const events = [
      event('Account', 'UPDATE', [account]),
      event('Lead', 'UPDATE', [lead]),
      event('Lead', 'DELETE', [lead]),
    ];
    expect(told(disturbed(events, faultsWith({ match: 'Lead', count: 1 })))).toEqual([
      ['Account', 'UPDATE', [account]],
      ['Lead', 'GAP_UPDATE', [lead]],
      ['Lead', 'DELETE', [lead]],
    ]);
    expect(told(disturbed(events, faultsWith({ kind: 'event-overflow', match: 'Lead', count: 1 })))).toEqual([
      ['Account', 'UPDATE', [account]],
      ['Lead', 'GAP_OVERFLOW', ['000000000000000AAA']],
    ]);
  });
});
