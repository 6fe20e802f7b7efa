import { topics, type Outcome, type RecordChange } from '@libs/contracts';
import type { Consumer, EventLog, Outgoing } from '@libs/event-log';
import { decode } from '@libs/event-log';

/** Stands for everything behind the first topic: each change is booked as written at once, so that catch-ups complete. */
export function bookOutcomes(log: EventLog): Promise<Consumer> {
  return log.consume(
    { group: 'test.outcome-maker', topics: [topics.changes] },
    {
      onCrash: (error) => {
        throw error;
      },
      async onRecords(records, claim) {
        const outcomes = records.flatMap(({ partition, offset, value }): Array<Outgoing<Outcome>> => {
          const decoded = decode(topics.changes, value);
          return decoded.ok ? [toOutcome(decoded.value, `${partition}:${offset}`)] : [];
        });
        await log.append(outcomes);
        await claim.commit((records.at(-1)?.offset ?? 0) + 1);
      },
    },
  );
}

function toOutcome(
  { recordType, recordId, jobId, lane, commitTimestamp }: RecordChange,
  offset: string,
): Outgoing<Outcome> {
  const jobIds = jobId === undefined ? [] : [jobId];
  return {
    topic: topics.outcomes,
    key: recordId,
    value: {
      recordType,
      recordId,
      offsets: [offset],
      jobIds,
      lane,
      kind: 'written',
      commitTimestamp,
      time: Date.now(),
    },
  };
}
