import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadSettingError } from '@libs/contracts';

/** The console's token, and where it comes from. */
export interface ConsoleToken {
  readonly token: string;
  readonly source: 'setting' | 'file' | 'new';
}

/** A new token cannot be kept. */
export class TokenNotKeptError extends BadSettingError {
  override readonly name = 'TokenNotKeptError';
}

/** The file in DATA_DIR that holds a token made by the console. */
export const tokenFile = (dataDir: string) => join(dataDir, 'console-token');

/** The token kept in DATA_DIR; `null` when there is none. */
export function readToken(dataDir: string): string | null {
  try {
    return readFileSync(tokenFile(dataDir), 'utf8').trim() || null;
  } catch (error) {
    // ENOTDIR: then it cannot be kept there either, which is told when one is to be made.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/**
 * The token of this console: CONSOLE_TOKEN, else the one kept in DATA_DIR, else a new one, which is kept there, readable by
 * this user only.
 * Errors: {@link TokenNotKeptError}, which says what to do.
 */
export function ensureToken(settings: { readonly CONSOLE_TOKEN?: string; readonly DATA_DIR: string }): ConsoleToken {
  if (settings.CONSOLE_TOKEN !== undefined) return { token: settings.CONSOLE_TOKEN, source: 'setting' };
  const kept = readToken(settings.DATA_DIR);
  if (kept !== null) return { token: kept, source: 'file' };
  const token = randomBytes(32).toString('base64url');
  try {
    mkdirSync(settings.DATA_DIR, { recursive: true });
    // `wx`: two consoles that start at once must not end with two tokens.
    writeFileSync(tokenFile(settings.DATA_DIR), `${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readToken(settings.DATA_DIR) : null;
    if (other !== null) return { token: other, source: 'file' };
    throw new TokenNotKeptError(
      `console cannot start: no token can be kept in ${settings.DATA_DIR} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}). ` +
        'Make the directory of DATA_DIR writable, or set CONSOLE_TOKEN.',
      { cause: error },
    );
  }
  return { token, source: 'new' };
}

/** The address of the page with its token in the fragment, which a browser never sends. */
export function consoleLink(host: string, port: number, token: string): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/#token=${token}`;
}
