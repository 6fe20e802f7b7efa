import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { flag, loadSettings, SettingsError } from './load-settings.js';

const schema = z.object({
  WINDOW_MS: z.coerce.number().int().min(100).default(60_000).describe('Longest wait. Milliseconds.'),
  API_KEY: z.string().min(1).describe('Key of the project.'),
  DRY_RUN: flag(false).describe('Write nothing.'),
});

describe('loadSettings', () => {
  it('fills defaults and coerces', () => {
    expect(loadSettings('test', schema, { API_KEY: 'k', DRY_RUN: 'yes' })).toEqual({
      WINDOW_MS: 60_000,
      API_KEY: 'k',
      DRY_RUN: true,
    });
  });

  it('lists every bad variable, what it is for, and no value', () => {
    const load = () => loadSettings('batcher', schema, { WINDOW_MS: '7', DRY_RUN: 'secret-looking' });
    expect(load).toThrow(SettingsError);
    try {
      load();
    } catch (error) {
      const { message, problems } = error as SettingsError;
      expect(problems).toHaveLength(3);
      expect(message).toContain('batcher cannot start: 3 settings are wrong.');
      expect(message).toContain('WINDOW_MS: ');
      expect(message).toContain('Longest wait. Milliseconds.');
      expect(message).toContain('API_KEY: is required — Key of the project.');
      expect(message).not.toContain('secret-looking');
    }
  });

  it('treats a blank variable as unset', () => {
    expect(() => loadSettings('test', schema, { API_KEY: '' })).toThrow('API_KEY: is required');
  });

  it('reads a secret from a file, and says when it cannot', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'settings-')), 'key');
    writeFileSync(file, 'from-file\n');
    expect(loadSettings('test', schema, { API_KEY_FILE: file }).API_KEY).toBe('from-file');
    expect(() => loadSettings('test', schema, { API_KEY_FILE: `${file}.gone` })).toThrow(
      'API_KEY_FILE: cannot be read (ENOENT)',
    );
  });
});
