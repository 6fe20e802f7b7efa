import { describe, expect, it } from 'vitest';
import { topics, type Topic } from '@libs/contracts';
import { buryMessage } from './coverage.js';

const verdict = {
  stage: 'decode',
  code: 'event-log.malformed_message',
  message: '',
  attempts: 1,
  firstTime: 1,
  now: 2,
} as const;
const id = '00Q5f00000abcdeEAA';

function bury(topic: Topic<never> | Topic, value: string | null) {
  const record = { topic: topic.name, partition: 3, offset: 7, key: 'k', headers: {}, timestampMs: 0, value };
  const { letters, outcomes } = buryMessage(record, undefined, verdict);
  const show = (one: {
    recordId?: string | undefined;
    offsets: readonly string[];
    jobIds: readonly string[];
    lane?: string | undefined;
  }) => [one.recordId, one.offsets.join(' '), one.jobIds.join(' '), one.lane].join('|');
  return { letters: letters.map((one) => show(one.value)), outcomes: outcomes.map((one) => show(one.value)) };
}

describe('an unreadable message', () => {
  it.each<[string, Topic<never> | Topic, unknown, string[]]>([
    ['is a change on the first topic, whatever it holds', topics.changes, 'half a mess', ['|3:7||realtime']],
    [
      'tells lane and job, where they can be read',
      topics.changes,
      { lane: 'backfill', jobId: 'j1' },
      ['|3:7|j1|backfill'],
    ],
    ['tells no lane that there is not', topics.changes, { lane: 'express', jobId: 5 }, ['|3:7||realtime']],
    [
      'stands for the changes that it names, as an update',
      topics.backfillUpdates,
      { kind: 'new', recordId: id, recordType: 'Lead', offsets: ['1:2', '1:5'], jobIds: ['j1'] },
      [`${id}|1:2 1:5|j1|backfill`],
    ],
    [
      'also where the record is not to be read',
      topics.realtimeUpdates,
      { recordId: 5, offsets: ['1:2'] },
      ['|1:2||realtime'],
    ],
    [
      'stands for those of each entry, as a batch, as far as they can be read',
      topics.realtimeBatches,
      { entries: [{ recordId: id, offsets: ['1:2'], jobIds: [] }, { offsets: [] }, null, { offsets: ['0:9'] }] },
      [`${id}|1:2||realtime`, '|0:9||realtime'],
    ],
  ])('%s', (_, topic, value, expected) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    expect(bury(topic, text)).toEqual({ letters: expected, outcomes: expected });
  });

  it.each([
    ['of an update', topics.realtimeUpdates, '{"offsets":"all"}'],
    ['of a batch', topics.backfillBatches, 'null'],
    ['of a command', topics.commands, '{"offsets":["1:2"]}'],
    ['that is nothing', topics.realtimeUpdates, null],
  ])('that names no change is a letter without one: %s', (_, topic, value) => {
    expect(bury(topic, value)).toEqual({ letters: ['|||'], outcomes: [] });
  });
});
