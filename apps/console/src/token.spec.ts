import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { consoleLink, ensureToken, readToken, tokenFile, TokenNotKeptError } from './token.js';

const folder = () => mkdtempSync(join(tmpdir(), 'console-token-'));

describe('ensureToken', () => {
  it('takes the setting and leaves the disk alone', () => {
    const DATA_DIR = folder();
    expect(ensureToken({ DATA_DIR, CONSOLE_TOKEN: 'a-token-of-my-own' })).toEqual({
      token: 'a-token-of-my-own',
      source: 'setting',
    });
    expect(readToken(DATA_DIR)).toBeNull();
  });

  it('makes one at the first start, for this user only, and uses it again', () => {
    const DATA_DIR = join(folder(), 'deep', 'data');
    const first = ensureToken({ DATA_DIR });
    expect(first.source).toBe('new');
    expect(first.token).toMatch(/^[\w-]{43}$/);
    expect(statSync(tokenFile(DATA_DIR)).mode & 0o777).toBe(0o600);
    expect(ensureToken({ DATA_DIR })).toEqual({ token: first.token, source: 'file' });
    expect(ensureToken({ DATA_DIR: folder() }).token).not.toBe(first.token);
  });

  it('says what to do when it cannot be kept', () => {
    const file = join(folder(), 'a-file');
    writeFileSync(file, '');
    expect(() => ensureToken({ DATA_DIR: join(file, 'data') })).toThrow(TokenNotKeptError);
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});

it.each([
  ['127.0.0.1', 'http://127.0.0.1:3000/#token=t'],
  ['0.0.0.0', 'http://localhost:3000/#token=t'],
  ['::1', 'http://[::1]:3000/#token=t'],
])('links to %s', (host, link) => {
  expect(consoleLink(host, 3000, 't')).toBe(link);
});
