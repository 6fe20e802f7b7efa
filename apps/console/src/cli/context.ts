import { createInterface } from 'node:readline/promises';
import { loadSettings, SettingsError, type Environment, type SettingsSchema } from '@libs/config';
import type { z } from 'zod';
import { readToken, tokenFile } from '../token.js';
import { createClient, type ConsoleClient } from './client.js';
import { CliError, exitCodes } from './exit-codes.js';
import { cliSettings } from './settings.js';

/** Where a verb reads and writes, and how it gets what it needs: nothing is read before the verb asks. */
export interface Context {
  readonly out: NodeJS.WritableStream;
  /** For notes and progress: what a script does not want in its input. */
  readonly notes: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks a person yes or no; absent where there is no terminal to ask at. Anything but yes is no. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** Errors: {@link CliError} when there is no token. */
  client(url?: string): ConsoleClient;
  /** Errors: {@link CliError} naming every bad variable. */
  settings<S extends SettingsSchema>(schema: S): z.infer<S>;
}

function load<S extends SettingsSchema>(schema: S, environment?: Environment): z.infer<S> {
  try {
    return loadSettings('sync', schema, environment);
  } catch (error) {
    if (error instanceof SettingsError) throw new CliError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

/** Asks at the terminal, if this is one. */
function terminalQuestion(signal: AbortSignal): Pick<Context, 'confirm'> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return {};
  return {
    async confirm(question) {
      const terminal = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal })).trim());
      } catch (error) {
        if (error instanceof Error && error.name === 'AbortError') return false; // Ctrl-C
        throw error;
      } finally {
        terminal.close();
      }
    },
  };
}

/** The context of a real process. `environment`: default that of the process. */
export function processContext(signal: AbortSignal, environment?: Environment): Context {
  return {
    out: process.stdout,
    notes: process.stderr,
    signal,
    ...terminalQuestion(signal),
    settings: (schema) => load(schema, environment),
    client(url) {
      const settings = load(cliSettings, environment);
      const token = settings.CONSOLE_TOKEN ?? readToken(settings.DATA_DIR);
      if (token === null) {
        throw new CliError(
          `No token: set CONSOLE_TOKEN, or DATA_DIR to where the console keeps it (there is no ${tokenFile(settings.DATA_DIR)}).`,
          exitCodes.usage,
        );
      }
      return createClient(url ?? settings.SYNC_URL, token);
    },
  };
}

/** Writes one line. */
export function printLine(stream: NodeJS.WritableStream, line: string): void {
  stream.write(`${line}\n`);
}
