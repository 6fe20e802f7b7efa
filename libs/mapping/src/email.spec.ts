import { describe, expect, it } from 'vitest';
import { isUsableEmail, normalizeEmail } from './email.js';

const LONG_LABEL = 'a'.repeat(63);

describe('normalizeEmail', () => {
  it.each([
    [' Niels@Example.COM\n', 'niels@example.com'],
    ['a+B@x.io', 'a+b@x.io'],
    ['   ', ''],
  ])('%j is %j', (text, email) => {
    expect(normalizeEmail(text)).toBe(email);
  });
});

describe('isUsableEmail', () => {
  it.each([
    'niels@example.com',
    'a@b.co',
    "o'hara+news@sub-domain.example.museum",
    'barnes&noble@example.com',
    'user_1.2@1and1.com',
    'jörg@müller.de',
    'x@example.xn--p1ai',
    `${'l'.repeat(64)}@example.com`,
    `a@${LONG_LABEL}.com`,
  ])('takes %s', (email) => {
    expect(isUsableEmail(email)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['no @', 'example.com'],
    ['two @', 'a@b@example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'a@'],
    ['localhost', 'user@localhost'],
    ['a blank inside', 'a b@example.com'],
    ['a line break inside', 'a\n@example.com'],
    ['a leading dot', '.a@example.com'],
    ['a trailing dot', 'a.@example.com'],
    ['two dots', 'a..b@example.com'],
    ['two dots in the domain', 'a@example..com'],
    ['a hyphen at the edge of a label', 'a@-example.com'],
    ['a numeric top level', 'a@example.123'],
    ['a one-letter top level', 'a@example.c'],
    ['an address literal', 'a@[127.0.0.1]'],
    ['a list', 'a@example.com,b@example.com'],
    ['a name', 'Ann <ann@example.com>'],
    ['a local part of 65', `${'l'.repeat(65)}@example.com`],
    ['a label of 64', `a@${LONG_LABEL}a.com`],
    ['255 characters', `a@${`${'b'.repeat(48)}.`.repeat(5)}${'c'.repeat(4)}.com`],
  ])('refuses %s', (_what, email) => {
    expect(isUsableEmail(email)).toBe(false);
  });

  // A pattern that backtracks would not come to an end within the test's time.
  it.each(['a', '.', '-', 'a.', '-a', 'a-', '@', 'é.'])('sees through many times %j', (filler) => {
    const many = filler.repeat(250).slice(0, 250);
    expect(isUsableEmail(`${many}@`)).toBe(false);
    expect(isUsableEmail(`a@${many}`)).toBe(false);
  });
});
