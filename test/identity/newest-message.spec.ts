import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isOlder, updateTopics, type UserMessage } from '@libs/contracts';
import { caseOf, inWorld } from './case.js';
import { addressOf, imageOf, withoutEmpty } from './model.js';
import type { OrgRecord } from './org.js';
import { play } from './script.js';
import { lanes, type World } from './world.js';

/** What the newest message about a record, by its version, says of it. */
function told(message: UserMessage | undefined): unknown {
  if (message?.kind === 'removal') return message.gone ? 'gone' : 'not sent';
  if (message?.kind === 'rename') return { becomes: message.toRecordId };
  if (message === undefined) return 'nothing';
  const { email, dataFields, optOut, createdMs } = message;
  return { email, data: withoutEmpty(dataFields), optedOut: optOut !== undefined, createdMs };
}

function truthOf(record: OrgRecord): unknown {
  if (record.deleted) return 'gone';
  if (record.convertedTo !== null) return { becomes: record.convertedTo };
  const { optedOut, createdMs } = record;
  return { email: addressOf(record.email), data: imageOf(record), optedOut, createdMs };
}

/** Equal versions: the later one, as a writer takes it. Messages of one lane and partition are in order; lanes are not. */
function newestOf(world: World): Map<string, UserMessage> {
  const newest = new Map<string, UserMessage>();
  for (const lane of lanes) {
    for (const { value } of world.log.all(updateTopics[lane])) {
      const message = value as UserMessage;
      const known = newest.get(message.recordId);
      if (known === undefined || !isOlder(message.version, known.version)) newest.set(message.recordId, message);
    }
  }
  return newest;
}

it('whatever overtakes what, the newest message about a record says how it is now', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(caseOf('hybrid', 50), async (given) => {
      await inWorld(given, async (world) => {
        for (const step of given.script) await play(world, step);
        await world.rest();
        const newest = newestOf(world);
        for (const record of world.org.all()) expect(told(newest.get(record.id))).toEqual(truthOf(record));
      });
    }),
    { numRuns: 100 },
  );
});
