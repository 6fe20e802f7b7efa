import { createHash } from 'node:crypto';
import { readTextFiles, UnreadableFilesError, type TextFile } from './read-text-files.js';

/** How often the files are looked at. Milliseconds. */
const LOOK_MS = 2_000;
/** Two readings so far apart that are equal: nobody is in the middle of writing. Milliseconds. */
const SETTLE_MS = 250;
/** Files that change faster than they can be read are taken as they are after so many readings. */
const MAX_READINGS = 20;

/** What a directory holds: its files, or why they cannot be read. */
export type FilesReading = readonly TextFile[] | UnreadableFilesError;

export interface FilesWatchOptions {
  readonly directory: string;
  readonly extensions: readonly string[];
  /** What was there when the watch began, and needs no decision any more. */
  readonly known: FilesReading;
  /**
   * Decides about what is there now; one call at a time. `true`: decided, it is not given again until something else was
   * there. `false`: it cannot be decided yet, and is given again at the next look.
   */
  readonly decide: (reading: FilesReading, cause: 'edit' | 'command') => Promise<boolean>;
  /** A rejection of `decide`: a bug. */
  readonly onBug: (error: unknown) => void;
}

/**
 * Looks at the text files of a directory every 2 s and tells of every new content, once nobody writes any more.
 *
 * Content is compared, not events or times: a mounted ConfigMap is replaced by a rename of a hidden link, which raises no event
 * on the files; editors write in several steps; network file systems raise no events at all. Reading some kilobytes costs
 * nothing beside that. For the same reason no watching library: what it would add is the events.
 */
export class TextFilesWatch {
  private decided: string;
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> = Promise.resolve();
  private busy = false;
  private readonly stopping = new AbortController();

  constructor(private readonly options: FilesWatchOptions) {
    this.decided = fingerprint(options.known);
  }

  /** Looks every 2 s from now on. */
  start(): void {
    this.timer ??= setInterval(() => {
      if (!this.busy && fingerprint(this.read()) !== this.decided) void this.look('edit');
    }, LOOK_MS);
    this.timer.unref();
  }

  /** Looks once more, after the look under way. Resolves when what is there was given to `decide`, or was decided before. */
  look(cause: 'edit' | 'command' = 'command'): Promise<void> {
    this.looking = this.looking.then(() => this.lookNow(cause)).catch((error: unknown) => this.options.onBug(error));
    return this.looking;
  }

  /** Ends after the look under way. */
  async close(): Promise<void> {
    clearInterval(this.timer ?? undefined);
    this.stopping.abort();
    await this.looking;
  }

  private async lookNow(cause: 'edit' | 'command'): Promise<void> {
    this.busy = true;
    try {
      const reading = await this.settled();
      const text = fingerprint(reading);
      if (this.stopping.signal.aborted || text === this.decided) return;
      // Undecided, even the content of before is news: it ends what could not be decided
      this.decided = (await this.options.decide(reading, cause)) ? text : '';
    } finally {
      this.busy = false;
    }
  }

  private async settled(): Promise<FilesReading> {
    let reading = this.read();
    if (fingerprint(reading) === this.decided) return reading;
    for (let count = 1; count < MAX_READINGS && !this.stopping.signal.aborted; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const next = this.read();
      if (fingerprint(next) === fingerprint(reading)) return next;
      reading = next;
    }
    return reading;
  }

  private read(): FilesReading {
    return readFiles(this.options.directory, this.options.extensions);
  }
}

/** Like {@link readTextFiles}, with the failure as a value. */
export function readFiles(directory: string, extensions: readonly string[]): FilesReading {
  try {
    return readTextFiles(directory, extensions);
  } catch (error) {
    if (error instanceof UnreadableFilesError) return error;
    throw error;
  }
}

function fingerprint(reading: FilesReading): string {
  const content = reading instanceof Error ? reading.message : reading.map(({ name, text }) => [name, text]);
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
