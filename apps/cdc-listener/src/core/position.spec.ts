import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMapping, type Mapping } from '@libs/mapping';
import { channelOf, defaultChannels } from './channels.js';
import {
  advance,
  decodePosition,
  encodePosition,
  forgetReplayId,
  isPast,
  OVERLAP_MS,
  resume,
  type Position,
} from './position.js';
import { subscriptionCheck, type SubscriptionState } from './subscription-check.js';

const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';
const stored: Position = {
  transport: 'cometd',
  organizationId: '00D5f000003XYZaEAO',
  channels: { [LEADS]: { replayId: '100', commitTimestamp: 5_000 } },
};
const now = { transport: 'cometd', organizationId: '00D5f000003XYZaEAO', channels: [LEADS], nowMs: 9_000 };
const begun = { replayId: null, commitTimestamp: 9_000 };

describe('resume', () => {
  it.each([
    ['a stored position', encodePosition(stored), now, { [LEADS]: stored.channels[LEADS] }, [], null],
    ['a first start', null, now, { [LEADS]: begun }, [LEADS], 'first-start'],
    ['garbage', '{"v":', now, { [LEADS]: begun }, [LEADS], 'unreadable'],
    ['another form', '{"replayId":5}', now, { [LEADS]: begun }, [LEADS], 'unreadable'],
    [
      'another org',
      encodePosition(stored),
      { ...now, organizationId: '00Dxx' },
      { [LEADS]: begun },
      [LEADS],
      'other-org',
    ],
    [
      'another transport',
      encodePosition(stored),
      { ...now, transport: 'pubsub' },
      { [LEADS]: begun },
      [LEADS],
      'other-transport',
    ],
    [
      'a new channel',
      encodePosition(stored),
      { ...now, channels: [LEADS, CONTACTS] },
      { ...stored.channels, [CONTACTS]: begun },
      [CONTACTS],
      null,
    ],
    [
      'a channel given up',
      encodePosition(stored),
      { ...now, channels: [CONTACTS] },
      { [CONTACTS]: begun },
      [CONTACTS],
      null,
    ],
  ])('from %s', (_what, text, at, channels, fresh, restart) => {
    const resumed = resume(text, at);
    expect(resumed.position).toEqual({ transport: at.transport, organizationId: at.organizationId, channels });
    expect([resumed.fresh, resumed.restart]).toEqual([fresh, restart]);
  });
});

describe('position', () => {
  it.each([
    [
      'an event',
      { channel: LEADS, replayId: '103', commitTimestamp: 6_000 },
      { replayId: '103', commitTimestamp: 6_000 },
    ],
    [
      'an event committed earlier',
      { channel: LEADS, replayId: '103', commitTimestamp: 4_000 },
      { replayId: '103', commitTimestamp: 5_000 },
    ],
    [
      'an unreadable event',
      { channel: LEADS, replayId: '103', commitTimestamp: null },
      { replayId: '103', commitTimestamp: 5_000 },
    ],
    [
      'an event without a replay id',
      { channel: LEADS, replayId: null, commitTimestamp: 6_000 },
      { replayId: '100', commitTimestamp: 5_000 },
    ],
    [
      'an event of another channel',
      { channel: CONTACTS, replayId: '1', commitTimestamp: 6_000 },
      { replayId: '100', commitTimestamp: 5_000 },
    ],
  ])('moves with %s', (_what, passed, expected) => {
    const moved = advance(stored, [passed]);
    expect(moved.channels).toEqual({ [LEADS]: expected });
  });

  it('stands at the last event of each channel, however events are cut into batches', () => {
    const event = fc.record({
      channel: fc.constantFrom(LEADS, CONTACTS),
      replayId: fc.option(fc.nat().map(String)),
      commitTimestamp: fc.option(fc.nat()),
    });
    const from = { ...stored, channels: { ...stored.channels, [CONTACTS]: begun } };
    fc.assert(
      fc.property(fc.array(event), fc.nat({ max: 20 }), (events, cut) => {
        expect(advance(advance(from, events.slice(0, cut)), events.slice(cut))).toEqual(advance(from, events));
      }),
    );
  });

  it('survives being written and read, in 4 kB for 25 channels', () => {
    const names = Array.from({ length: 25 }, (_, index) => `/data/Some_Object_${index}__ChangeEvent`);
    const position = {
      ...stored,
      channels: Object.fromEntries(
        names.map((name) => [name, { replayId: '123456789012', commitTimestamp: 1_712_694_387_000 }]),
      ),
    };
    const text = encodePosition(position);
    expect(decodePosition(text)).toEqual(position);
    expect(Buffer.byteLength(text)).toBeLessThan(4_096);
  });

  it('keeps the time when a replay id is refused', () => {
    expect(forgetReplayId(stored, LEADS).channels[LEADS]).toEqual({ replayId: null, commitTimestamp: 5_000 });
    expect(forgetReplayId(stored, CONTACTS)).toBe(stored);
  });

  it.each([
    [undefined, 0, false],
    [OVERLAP_MS, null, false],
    [OVERLAP_MS + 1_000, 999, true],
    [OVERLAP_MS + 1_000, 1_000, false],
  ])('isPast(%s, %s)', (since, commit, expected) => {
    expect(isPast(since, commit)).toBe(expected);
  });
});

describe('channels', () => {
  it.each([
    ['Lead', '/data/LeadChangeEvent'],
    ['Invoice__c', '/data/Invoice__ChangeEvent'],
  ])('%s', (object, channel) => {
    expect(channelOf(object)).toBe(channel);
  });

  it('follows mapped objects and the Account they read, not their owners', () => {
    const mapping = (object: string, ...sources: string[]) => {
      const lines = sources.map((source, index) => `  ${source}: dataFields.f${index}`);
      return parseMapping(
        `${object}.yaml`,
        [`object: ${object}`, 'fields:', '  Email: email', ...lines].join('\n'),
      ) as Mapping;
    };
    const leads = mapping('Lead', 'Owner.Email');
    expect(defaultChannels(new Map([['Lead', leads]]))).toEqual([LEADS]);
    const contacts = mapping('Contact', 'Account.Name', 'Account.Industry');
    expect(
      defaultChannels(
        new Map([
          ['Contact', contacts],
          ['Lead', leads],
        ]),
      ),
    ).toEqual([CONTACTS, LEADS, '/data/AccountChangeEvent']);
  });
});

describe('subscriptionCheck', () => {
  const good: SubscriptionState = {
    active: true,
    channels: [LEADS],
    subscribed: new Set([LEADS]),
    refused: new Map(),
    downSince: null,
    failure: null,
    answeredAt: 99_000,
    quietMs: 125_000,
    stalledSince: null,
    holes: [],
  };

  it.each([
    ['it works', {}, true, `subscribed to ${LEADS}`],
    [
      'another instance listens',
      { active: false, subscribed: new Set<string>() },
      true,
      'standing by: another instance listens',
    ],
    ['it has not worked yet', { downSince: 99_000, answeredAt: null }, false, 'no subscription for 1 s: connecting'],
    ['a new client is under way', { downSince: 80_000, failure: 'x' }, true, `subscribed to ${LEADS}`],
    [
      'no new client comes about',
      { downSince: 60_000, failure: 'busy (x), next try in 9 s' },
      false,
      'no subscription for 40 s: busy (x), next try in 9 s',
    ],
    ['Salesforce is silent', { answeredAt: -60_000 }, false, 'no answer from Salesforce for 160 s'],
    ['silence is usual on the transport', { answeredAt: -60_000, quietMs: 300_000 }, true, `subscribed to ${LEADS}`],
    ['the log hiccups', { stalledSince: 95_000 }, true, `subscribed to ${LEADS}`],
    ['the log is out', { stalledSince: 85_000 }, false, 'the event log has not taken changes for 15 s'],
    [
      'a channel is refused',
      { refused: new Map([[CONTACTS, '403::Restricted']]) },
      false,
      `${CONTACTS} is refused: 403::Restricted`,
    ],
    [
      'changes may be missing',
      { holes: ['Lead: x'] },
      true,
      `subscribed to ${LEADS}. changes may be missing, run a backfill: Lead: x`,
    ],
  ])('when %s', (_what, own, ok, detail) => {
    expect(subscriptionCheck({ ...good, ...own }, 100_000)).toEqual({ ok, detail });
  });
});
