import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OVERLAP_MS } from './holes.js';
import {
  addHoles,
  advance,
  closeGap,
  decodePosition,
  encodePosition,
  expireTimes,
  isPast,
  openGap,
  pollFor,
  resume,
  startPolling,
  stopPolling,
  withoutHoles,
  type Position,
} from './position.js';

const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';
const stored: Position = {
  transport: 'cometd',
  organizationId: '00D5f000003XYZaEAO',
  channels: { [LEADS]: { replayId: '100', commitTimestamp: 5_000 } },
};
const now = {
  transport: 'cometd',
  organizationId: '00D5f000003XYZaEAO',
  channels: [LEADS],
  nowMs: 9_000,
  evidence: (): number | null => null,
};
const begun = { replayId: null, commitTimestamp: 9_000 };
const gap = (reason: string, commitTimestamp: number) => ({
  [LEADS]: { replayId: null, commitTimestamp, gap: reason },
});
const hole = { object: 'Lead', reason: 'overflow' as const, fromMs: 1_000, toMs: 2_000 };

describe('resume', () => {
  it.each([
    ['a stored position', encodePosition(stored), now, { [LEADS]: stored.channels[LEADS] }, [], null],
    ['a first start', null, now, { [LEADS]: begun }, [LEADS], 'first-start'],
    [
      'no position, though the log has changes',
      null,
      { ...now, evidence: () => 4_000 },
      gap('cursor-lost', 4_000),
      [],
      'lost',
    ],
    ['garbage', '{"v":', { ...now, evidence: () => 4_000 }, gap('cursor-lost', 4_000), [], 'unreadable'],
    ['another form', '{"replayId":5}', { ...now, evidence: () => 1 }, gap('cursor-lost', 1), [], 'unreadable'],
    [
      'another org',
      encodePosition(stored),
      { ...now, organizationId: '00Dxx' },
      gap('org-changed', 5_000),
      [],
      'other-org',
    ],
    [
      'another transport',
      encodePosition(stored),
      { ...now, transport: 'pubsub' },
      gap('transport-changed', 5_000),
      [],
      'other-transport',
    ],
    [
      'another transport and a new channel',
      encodePosition(stored),
      { ...now, transport: 'pubsub', channels: [LEADS, CONTACTS] },
      { ...gap('transport-changed', 5_000), [CONTACTS]: begun },
      [CONTACTS],
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
    [
      'a gap that was not closed',
      encodePosition(openGap(stored, LEADS, 'silent')),
      now,
      gap('silent', 5_000),
      [],
      null,
    ],
  ])('from %s', (_what, text, at, channels, fresh, restart) => {
    const resumed = resume(text, at);
    expect(resumed.position).toEqual({ transport: at.transport, organizationId: at.organizationId, channels });
    expect([resumed.fresh, resumed.restart]).toEqual([fresh, restart]);
  });

  it('keeps the holes that were not told yet, and goes on polling', () => {
    const polled = { Lead: 4_000 };
    const at = { ...stored, holes: [hole], polled };
    expect(resume(encodePosition(at), now).position).toEqual(at);
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

  it('keeps the time when a replay id is refused, and is not moved by what comes late', () => {
    const opened = openGap(stored, LEADS, 'replay-expired');
    expect(opened.channels).toEqual(gap('replay-expired', 5_000));
    expect(openGap(stored, CONTACTS, 'replay-expired')).toBe(stored);
    expect(advance(opened, [{ channel: LEADS, replayId: '101', commitTimestamp: 6_000 }]).channels).toEqual(
      opened.channels,
    );
  });

  it('makes a hole of a gap when its channel delivers again, by the later of both clocks', () => {
    const opened = openGap(stored, LEADS, 'silent');
    const closed = closeGap(opened, LEADS, ['Lead'], 9_000);
    expect(closed.channels).toEqual({ [LEADS]: begun });
    expect(closed.holes).toEqual([{ object: 'Lead', reason: 'silent', fromMs: 5_000, toMs: 9_000 }]);
    expect(closeGap(opened, LEADS, ['Lead'], 3_000).channels[LEADS]?.commitTimestamp).toBe(5_000);
    expect(closeGap(stored, LEADS, ['Lead'], 9_000)).toBe(stored);
  });

  it('has a gap where a time without a replay id is past the retention', () => {
    const timed = { ...stored, channels: { [LEADS]: begun } };
    const hour = 3_600_000;
    expect(expireTimes(timed, 9_000 + 71 * hour)).toBe(timed);
    expect(expireTimes(timed, 9_001 + 71 * hour).channels).toEqual(gap('replay-expired', 9_000));
    expect(expireTimes(stored, 9_000 + 80 * hour)).toBe(stored);
    const known = openGap(timed, LEADS, 'silent');
    expect(expireTimes(known, 9_000 + 80 * hour)).toBe(known);
  });

  it('takes off the holes that are ordered, but not one that grew meanwhile', () => {
    const happened = [{ reason: 'overflow' as const, objects: ['Lead'], fromMs: 1_000, noticedMs: 2_000 }];
    const known = addHoles(stored, happened, new Set(['Lead']));
    expect(known.holes).toEqual([hole]);
    expect(withoutHoles(known, [hole])).toEqual(stored);
    const grown = addHoles(known, [{ ...happened[0]!, noticedMs: 3_000 }], new Set(['Lead']));
    expect(withoutHoles(grown, [hole]).holes).toEqual([{ ...hole, toMs: 3_000 }]);
  });

  it('polls from now on, with a hole up to now, and leaves it at the events that came', () => {
    const objectsOf = new Map([[LEADS, ['Lead']]]);
    const polling = startPolling(stored, objectsOf, 9_000);
    expect(polling.polled).toEqual({ Lead: 9_000 });
    expect(polling.holes).toEqual([{ object: 'Lead', reason: 'allowance', fromMs: 5_000, toMs: 9_000 }]);
    expect(startPolling(stored, objectsOf, 1_000).polled).toEqual({ Lead: 5_000 });
    const { holes: _told, ...told } = polling;
    expect(stopPolling(told, 9_000, new Set())).toEqual({ ...stored, channels: { [LEADS]: begun } });
    expect(stopPolling(told, 9_000, new Set([LEADS]))).toEqual(stored);
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

describe('pollFor', () => {
  it('polls for newly followed objects from now on, and no more for those that are given up', () => {
    const polling = { ...stored, polled: { Lead: 6_000, Opportunity: 7_000 } };
    expect(pollFor(polling, ['Lead', 'Contact'], 9_000).polled).toEqual({ Lead: 6_000, Contact: 9_000 });
  });

  it('changes nothing while events flow', () => {
    expect(pollFor(stored, ['Lead', 'Contact'], 9_000)).toBe(stored);
  });
});
