import { topics } from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import type { AccountingGap } from '../core/accounting-answers.js';
import type { Ends } from '../core/positions.js';
import type { Gap } from './core/ledger.js';
import { firstRecords } from './first-records.js';

const nameOf = ({ partition, offset }: Gap) => `${partition}:${offset}`;

/** Says which records the changes of a gap are of. Remembers what it read: a gap stays one for a while. */
export class GapFinder {
  private known = new Map<string, AccountingGap>();

  constructor(private readonly log: Pick<EventLog, 'read'>) {}

  /** Output: in input order, with record id and time where the log still has the change. Errors: those of the log. */
  async find(gaps: readonly Gap[], ends: Ends, signal: AbortSignal): Promise<AccountingGap[]> {
    const names = new Set(gaps.map(nameOf));
    this.known = new Map([...this.known].filter(([name]) => names.has(name)));
    const unknown = Map.groupBy(
      gaps.filter((gap) => !this.known.has(nameOf(gap))),
      ({ partition }) => partition,
    );
    // One of each partition at a time.
    for (let turn = 0; [...unknown.values()].some((ours) => turn < ours.length) && !signal.aborted; turn += 1) {
      await this.look(
        [...unknown.values()].flatMap((ours) => ours[turn] ?? []),
        ends,
        signal,
      );
    }
    return gaps.map((gap) => this.known.get(nameOf(gap)) ?? toAnswer(gap));
  }

  private async look(gaps: readonly Gap[], ends: Ends, signal: AbortSignal): Promise<void> {
    const at = new Map(gaps.map(({ partition, offset }) => [partition, offset]));
    const found = await firstRecords(this.log, topics.changes, { at, ends }, signal);
    if (signal.aborted) return;
    for (const gap of gaps) {
      const record = found.get(gap.partition);
      this.known.set(nameOf(gap), {
        ...toAnswer(gap),
        ...(record?.offset === gap.offset && { recordId: recordIdOf(record.value), time: record.timestampMs }),
      });
    }
  }
}

function toAnswer(gap: Gap): AccountingGap {
  return { offset: nameOf(gap), object: gap.object, lane: gap.lane };
}

function recordIdOf(value: string | null): string | undefined {
  const change = decode(topics.changes, value);
  return change.ok ? change.value.recordId : undefined;
}
