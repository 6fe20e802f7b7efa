import { describe, expect, it } from 'vitest';
import { subscriptionCheck, type SubscriptionState } from './subscription-check.js';

const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';

describe('subscriptionCheck', () => {
  const good: SubscriptionState = {
    subscribed: new Set([LEADS]),
    refused: new Map(),
    downSince: null,
    failure: null,
    answeredAt: 99_000,
    quietMs: 125_000,
    stalledSince: null,
    silent: new Set(),
    polling: null,
    holes: [],
  };

  it.each([
    ['it works', {}, true, `subscribed to ${LEADS}`],
    ['it has not worked yet', { downSince: 99_000, answeredAt: null }, false, 'no subscription for 1 s: connecting'],
    [
      'a new client is under way',
      { downSince: 80_000, failure: 'x', subscribed: new Set<string>() },
      true,
      'making a new client',
    ],
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
      'a channel is dead',
      { silent: new Set([LEADS]) },
      false,
      `${LEADS} does not deliver changes that exist: a catch-up is ordered and a new client made`,
    ],
    [
      'a hole is open',
      { holes: [{ object: 'Lead', reason: 'overflow', fromMs: 0, stuck: null }] },
      true,
      `subscribed to ${LEADS}. catching up changes that may be missing: Lead since 1970-01-01T00:00:00.000Z (overflow)`,
    ],
    [
      'a catch-up was given up',
      { holes: [{ object: 'Lead', reason: 'overflow', fromMs: 0, stuck: 'refused' }] },
      true,
      `subscribed to ${LEADS}. catching up changes that may be missing: Lead since 1970-01-01T00:00:00.000Z (overflow), given up: refused`,
    ],
    [
      'changes are polled for',
      { downSince: 0, polling: { everyMs: 60_000, lastMs: 0, failure: null } },
      true,
      'polling every 60 s: the allowance of delivered events is used up',
    ],
    [
      'polls fail',
      { polling: { everyMs: 20_000, lastMs: 40_000, failure: 'Lead: no answer' } },
      false,
      'no poll has succeeded for 60 s: Lead: no answer',
    ],
  ])('when %s', (_what, own, ok, detail) => {
    expect(subscriptionCheck({ ...good, ...own }, 100_000)).toEqual({ ok, detail });
  });
});
