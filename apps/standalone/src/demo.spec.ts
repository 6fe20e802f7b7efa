import { describe, expect, it } from 'vitest';
import { demoEnvironment, isDemo } from './demo.js';

const sandbox = {
  salesforceUrl: 'http://127.0.0.1:4010',
  pubsubAddress: '127.0.0.1:4011',
  iterableUrl: 'http://127.0.0.1:4020',
};

describe('isDemo', () => {
  it.each([
    [{}, true],
    [{ BATCHER_WINDOW_MS: '500', ITERABLE_API_KEY: '' }, true],
    [{ SALESFORCE_LOGIN_URL: 'https://acme.my.salesforce.com' }, false],
    [{ ITERABLE_API_KEY_FILE: '/run/secrets/key' }, false],
  ])('%j: %s', (environment, expected) => {
    expect(isDemo(environment)).toBe(expected);
  });
});

describe('demoEnvironment', () => {
  it('points to the sandbox and keeps what is given', () => {
    expect(demoEnvironment({ BATCHER_WINDOW_MS: '5000', ITERABLE_API_KEY: '' }, sandbox)).toMatchObject({
      SALESFORCE_LOGIN_URL: sandbox.salesforceUrl,
      SALESFORCE_PUBSUB_ENDPOINT: sandbox.pubsubAddress,
      SALESFORCE_PUBSUB_INSECURE: 'true',
      ITERABLE_API_KEY: 'sandbox',
      BATCHER_WINDOW_MS: '5000',
    });
  });
});
