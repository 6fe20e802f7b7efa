import { readFiles, TextFilesWatch, UnreadableFilesError, type FilesReading, type TextFile } from '@libs/config';
import { BadSettingError, isRetryable } from '@libs/contracts';
import {
  describeMistake,
  mappingFileExtensions,
  MappingFilesError,
  mappingVersion,
  parseMappingFiles,
  type MappingSet,
} from '@libs/mapping';
import type { Health, Logger, Metrics } from '@libs/observability';

/** Name of the health check. */
export const MAPPINGS_CHECK = 'mappings';
/** Most mistakes that are told one by one: what `mapping-refused` takes. */
const MAX_TOLD = 100;
/** A check that needs the org is repeated after so long, doubled each time up to the longest. Milliseconds. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;

export type MappingCause = 'edit' | 'command';

/** What became of the files: new mappings, or mistakes because of which the ones before stay. */
export type MappingNews =
  | { readonly kind: 'applied'; readonly changed: readonly string[]; readonly cause: MappingCause }
  | { readonly kind: 'refused'; readonly mistakes: readonly string[]; readonly cause: MappingCause };

/** How the files stand to what is in force. */
export type MappingState =
  | { readonly kind: 'in-force' }
  | { readonly kind: 'refused'; readonly mistakes: readonly string[] }
  /** The check needs something that cannot be reached now; it is tried again. */
  | { readonly kind: 'waiting'; readonly reason: string };

/** A version in force in this service, and since when. Epoch milliseconds. */
interface Standing {
  readonly version: string;
  readonly sinceMs: number;
}

export interface LiveMappingsParts {
  /** Label of the metric. */
  readonly app: string;
  readonly directory: string;
  /** What the files say. Errors: a BadSettingError with the mistakes. Default: {@link readMappingSet}. */
  readonly read?: (files: readonly TextFile[], directory: string) => MappingSet;
  /**
   * Looks at a new set before it is applied. Errors: a {@link MappingFilesError} refuses it, a retryable SyncError is tried
   * again; both with growing pauses, since neither need be the fault of the file.
   */
  readonly check?: (next: MappingSet, inForce: MappingSet, files: readonly TextFile[]) => Promise<void>;
  readonly metrics: Pick<Metrics, 'mappingBroken'>;
  readonly health: Pick<Health, 'set' | 'warn' | 'fail'>;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/**
 * Makes a set of mapping files. An empty directory is a mistake: nobody means to sync nothing by deleting the last file.
 * Errors: {@link MappingFilesError}.
 */
export function readMappingSet(
  files: readonly TextFile[],
  directory: string,
  options: Parameters<typeof parseMappingFiles>[1] = {},
): MappingSet {
  const mappings = parseMappingFiles(files, options);
  if (mappings.size > 0) return mappings;
  const message = `no mapping file here; a file is named <object>${mappingFileExtensions.join(', <object>')}`;
  throw new MappingFilesError([{ file: directory, line: 1, column: 1, message }]);
}

/** The version of each object's mapping. */
export function versionsOf(mappings: MappingSet): Record<string, string> {
  return Object.fromEntries([...mappings].map(([object, mapping]) => [object, mappingVersion(mapping)]));
}

/** Objects whose version is not the same in both, the ones that only one has included. */
export function changedObjects(before: MappingSet, after: MappingSet): string[] {
  const [old, now] = [versionsOf(before), versionsOf(after)];
  return [...new Set([...Object.keys(now), ...Object.keys(old)])].filter((object) => old[object] !== now[object]);
}

/**
 * The mappings that a service works by, while their files may be edited: a new set is applied within seconds, a broken one is
 * told (health, metric, one line in the log) and the last good one stays in force. Readiness never depends on it.
 */
export class LiveMappings {
  private mappings: MappingSet;
  private stands: MappingState = { kind: 'in-force' };
  private readonly watch: TextFilesWatch;
  private readonly listeners: Array<(news: MappingNews) => void> = [];
  private readonly read: (reading: FilesReading) => MappingSet;
  private since: ReadonlyMap<string, Standing> = new Map();
  private retry = { text: '', delayMs: FIRST_RETRY_MS, atMs: 0 };

  /** Reads the files. Errors: a BadSettingError when they cannot be used: at the start there is no last good version. */
  constructor(private readonly parts: LiveMappingsParts) {
    const { directory, read = readMappingSet, health } = parts;
    this.read = (reading) => {
      if (reading instanceof UnreadableFilesError) throw reading;
      return read(reading, directory);
    };
    const known = readFiles(directory, mappingFileExtensions);
    this.mappings = this.read(known);
    this.since = this.standings();
    this.watch = new TextFilesWatch({
      directory,
      extensions: mappingFileExtensions,
      known,
      decide: (reading, cause) => this.decide(reading, cause),
      onBug: (error) => health.fail(error),
    });
    this.tell();
  }

  /** The set in force: replaced, never changed. */
  get inForce(): MappingSet {
    return this.mappings;
  }

  get state(): MappingState {
    return this.stands;
  }

  /** Calls back in the same step in which a set is applied, and when one is refused. */
  onNews(listener: (news: MappingNews) => void): void {
    this.listeners.push(listener);
  }

  /** Follows the files until {@link close}. */
  start(): void {
    this.watch.start();
  }

  /** Looks at once. Resolves with the objects whose mapping changed; {@link state} says whether the files are in force now. */
  async reload(): Promise<readonly string[]> {
    const before = this.mappings;
    this.retry = { ...this.retry, atMs: 0 };
    await this.watch.look('command');
    return changedObjects(before, this.mappings);
  }

  close(): Promise<void> {
    return this.watch.close();
  }

  private async decide(reading: FilesReading, cause: MappingCause): Promise<boolean> {
    let next: MappingSet;
    try {
      next = this.read(reading);
    } catch (error) {
      this.refuse(error, cause);
      return true;
    }
    const text = JSON.stringify(versionsOf(next));
    if (text !== this.retry.text) this.retry = { text, delayMs: FIRST_RETRY_MS, atMs: 0 };
    if (Date.now() < this.retry.atMs) return false;
    try {
      await this.parts.check?.(next, this.mappings, reading instanceof Error ? [] : reading);
    } catch (error) {
      this.postpone();
      if (isRetryable(error) && !(error instanceof BadSettingError)) this.wait(error as Error);
      else this.refuse(error, cause);
      return false;
    }
    this.apply(next, cause);
    return true;
  }

  private postpone(): void {
    const { text, delayMs } = this.retry;
    this.retry = { text, delayMs: Math.min(delayMs * 2, LONGEST_RETRY_MS), atMs: Date.now() + delayMs };
  }

  private apply(next: MappingSet, cause: MappingCause): void {
    const changed = changedObjects(this.mappings, next);
    const mended = this.stands.kind !== 'in-force';
    this.mappings = next;
    this.since = this.standings();
    this.stands = { kind: 'in-force' };
    this.tell();
    if (changed.length === 0 && !mended) return; // comments, order, a file's name
    this.parts.logger.info({ changed, versions: versionsOf(next), cause }, 'the mapping files are in force');
    this.emit({ kind: 'applied', changed, cause });
  }

  private refuse(error: unknown, cause: MappingCause): void {
    if (!(error instanceof BadSettingError)) throw error;
    const mistakes = mistakesOf(error).slice(0, MAX_TOLD);
    const { stands } = this;
    if (stands.kind === 'refused' && stands.mistakes.join('\n') === mistakes.join('\n')) return;
    this.stands = { kind: 'refused', mistakes };
    this.tell();
    this.parts.logger.error({ mistakes, cause }, 'the mapping files are refused: the last good version stays in force');
    this.emit({ kind: 'refused', mistakes, cause });
  }

  private wait(error: Error): void {
    const { stands } = this;
    if (stands.kind === 'waiting' && stands.reason === error.message) return;
    this.stands = { kind: 'waiting', reason: error.message };
    this.tell();
    this.parts.logger.warn(
      { err: error },
      'new mapping files cannot be checked yet: the version before stays in force',
    );
  }

  private standings(): Map<string, Standing> {
    return new Map(
      Object.entries(versionsOf(this.mappings)).map(([object, version]) => {
        const before = this.since.get(object);
        return [object, before?.version === version ? before : { version, sinceMs: Date.now() }];
      }),
    );
  }

  private emit(news: MappingNews): void {
    for (const listener of this.listeners) listener(news);
  }

  private tell(): void {
    const { health, metrics, app } = this.parts;
    const { stands } = this;
    metrics.mappingBroken.set({ app }, stands.kind === 'refused' ? 1 : 0);
    if (stands.kind === 'in-force') {
      const lines = [...this.since].map(([object, { version, sinceMs }]) => {
        return `${object} ${version} since ${new Date(sinceMs).toISOString()}`;
      });
      health.set(MAPPINGS_CHECK, true, `in force: ${lines.join(', ')}`);
      return;
    }
    const why =
      stands.kind === 'refused'
        ? `the mapping files are refused: ${stands.mistakes.join('; ')}`
        : `new mapping files cannot be checked yet (${stands.reason}), trying again`;
    health.warn(MAPPINGS_CHECK, `${why}. The last good version stays in force`);
  }
}

function mistakesOf(error: BadSettingError): string[] {
  return error instanceof MappingFilesError ? error.mistakes.map(describeMistake) : [error.message];
}
