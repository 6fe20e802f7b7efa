import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BadSettingError } from '@libs/contracts';

/** A file as read: its name in its directory, and its text. */
export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** A directory or a file in it cannot be read. */
export class UnreadableFilesError extends BadSettingError {
  override readonly name = 'UnreadableFilesError';
}

/**
 * Reads the files of a directory whose names end in one of `extensions`, by name; sub-directories and hidden entries are
 * left out (a mounted ConfigMap has both; its files are links, which are followed). Bytes that are not UTF-8 become
 * U+FFFD, for the reader of the text to refuse; a byte order mark is dropped.
 * Errors: {@link UnreadableFilesError}.
 */
export function readTextFiles(directory: string, extensions: readonly string[]): TextFile[] {
  return attempt(directory, () => readdirSync(directory))
    .filter((name) => !name.startsWith('.') && extensions.some((extension) => name.endsWith(extension)))
    .toSorted()
    .flatMap((name) => {
      const path = join(directory, name);
      return attempt(path, () => (statSync(path).isFile() ? [{ name, text: decode(readFileSync(path)) }] : []));
    });
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes);
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new UnreadableFilesError(`${path} cannot be read (${code})`, { cause: error });
  }
}
