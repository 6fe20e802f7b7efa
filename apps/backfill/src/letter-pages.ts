import {
  objectOfLetter,
  selectsLetter,
  topics,
  type Cursor,
  type DeadLetter,
  type LetterSelection,
} from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import { RecordIdSet } from './core/record-id-set.js';
import { PAGE_SIZE, type Page } from './pages.js';

/**
 * Most records of one redrive: their ids are held while it reads, which takes 50 MB for so many. A sync that has more dead ones
 * redrives them by object or by time.
 */
export const MAX_REDRIVE_RECORDS = 2_000_000;

type Redrive = NonNullable<Cursor['redrive']>;
type Log = Pick<EventLog, 'read' | 'offsets'>;

interface PlacedLetter {
  readonly partition: number;
  readonly offset: number;
  /** `null`: not readable, so that nothing can be told of it. */
  readonly letter: DeadLetter | null;
}

/** The letters before `until`, those before `from` left out. Errors: the reason of `signal` when it aborts, so that an end is the end. */
async function* lettersOf(
  log: Log,
  until: Redrive['until'],
  from: Redrive['at'],
  signal: AbortSignal,
): AsyncGenerator<readonly PlacedLetter[]> {
  for await (const records of log.read(topics.deadLetters, { from, untilEnd: true, signal })) {
    yield records
      .filter(({ partition, offset }) => offset < (until[partition] ?? 0))
      .map(({ partition, offset, value }) => {
        const decoded = decode(topics.deadLetters, value);
        return { partition, offset, letter: decoded.ok ? decoded.value : null };
      });
  }
  signal.throwIfAborted();
}

/** What a selection comes to. */
export interface LetterSurvey {
  readonly letters: number;
  /** Distinct records among them; counting ends once there are more than {@link MAX_REDRIVE_RECORDS}. */
  readonly records: number;
  /** Letters that name no record, of messages that could not be read: nothing can be fetched again for them. */
  readonly noRecord: number;
  /** Where the topic ended. */
  readonly until: Redrive['until'];
}

/** Counts what a selection takes of the letters that there are now. */
export async function surveyLetters(log: Log, selection: LetterSelection, signal: AbortSignal): Promise<LetterSurvey> {
  const ends = await log.offsets(topics.deadLetters);
  const until = Object.fromEntries(ends.map(({ partition, next }) => [partition, next]));
  const [isSelected, seen] = [selectsLetter(selection), new RecordIdSet()];
  let [letters, noRecord] = [0, 0];
  for await (const placed of lettersOf(log, until, {}, signal)) {
    for (const { letter } of placed) {
      if (letter === null || !isSelected(letter)) continue;
      letters += 1;
      if (letter.recordId === undefined) noRecord += 1;
      else seen.add(letter.recordId);
    }
    if (seen.size > MAX_REDRIVE_RECORDS) break;
  }
  return { letters, records: seen.size, noRecord, until };
}

/**
 * Reads the records of a redrive page by page, each once however many letters it has. What it holds of the pages before, it makes
 * again from the topic when it does not have it: after a restart, a failure, or another job in between.
 */
export class LetterPages {
  private known: { readonly redrive: Redrive; readonly seen: RecordIdSet } | null = null;

  constructor(private readonly log: Log) {}

  async read(redrive: Redrive, queried: number, signal: AbortSignal): Promise<Page> {
    const known = this.known?.redrive === redrive ? this.known.seen : null;
    this.known = null; // an attempt that fails leaves ids in the set that are on no page
    const seen = known ?? new RecordIdSet();
    const isSelected = selectsLetter(redrive);
    const at = { ...redrive.at };
    const records: Array<Page['records'][number]> = [];
    const { until } = redrive;
    reading: for await (const placed of lettersOf(this.log, until, known === null ? {} : redrive.at, signal)) {
      for (const { partition, offset, letter } of placed) {
        const isAhead = offset >= (redrive.at[partition] ?? 0);
        if (isAhead) at[partition] = offset + 1;
        if (letter?.recordId === undefined || !isSelected(letter) || !seen.add(letter.recordId) || !isAhead) continue;
        records.push({ recordId: letter.recordId, recordType: objectOfLetter(letter) ?? 'Unknown' });
        if (records.length === PAGE_SIZE) break reading;
      }
    }
    const next = { ...redrive, at };
    this.known = { redrive: next, seen };
    return {
      records,
      position: { queried: queried + records.length, redrive: next },
      last: records.length < PAGE_SIZE,
    };
  }

  /** Lets go of what it holds. */
  forget(): void {
    this.known = null;
  }
}
