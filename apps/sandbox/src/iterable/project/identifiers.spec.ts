import { describe, expect, it } from 'vitest';
import { isEmail, isUserId } from './identifiers.js';

describe('isEmail', () => {
  it.each([
    'ada.byron@example.com',
    'ADA+tag@Example.Co.Uk',
    "o'brien@example.org",
    '"two words"@example.com',
    'ada@bücher.de',
    'ada@[192.0.2.1]',
    'u1+abc@placeholder.email',
  ])('takes %s', (email) => expect(isEmail(email)).toBe(true));

  it.each([
    '',
    'not-an-email',
    '@example.com',
    'ada@',
    'ada@localhost',
    'ada@example.invalid',
    'ada@example.zzzz',
    'ada @example.com',
    'ada@exam ple.com',
    'ada..byron@example.com',
    '.ada@example.com',
    'ada@-example.com',
    'ada@example..com',
    'ada@example.com.',
    `${'a'.repeat(65)}@example.com`,
    'a,b@example.com',
    'a@b@example.com',
  ])('refuses %j', (email) => expect(isEmail(email)).toBe(false));
});

describe('isUserId', () => {
  it.each(['003Kd00000AbCdEIAV', 'a', 'with space inside', '~'.repeat(52)])('takes %j', (id) =>
    expect(isUserId(id)).toBe(true),
  );
  it.each(['', ' ', 'trailing ', 'a'.repeat(53), 'ünïcode', 'line\nbreak', 'tab\t'])('refuses %j', (id) =>
    expect(isUserId(id)).toBe(false),
  );
});
