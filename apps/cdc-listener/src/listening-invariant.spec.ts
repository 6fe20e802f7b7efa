import { backfillStart, topics, type Command, type RecordChange } from '@libs/contracts';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { CONTACTS, header, idOf, LEADS, NO_IDS, OBJECTS, settle, useStage } from '../test/stage.js';

const stage = useStage();

describe('invariant 1', () => {
  const times = fc.integer({ min: 1, max: 3 });
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('commit' as const),
        channel: fc.constantFrom(LEADS, CONTACTS),
        records: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 600, 1_500) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        failure: fc.constantFrom('unknown-client' as const, 'transport' as const, 'limit' as const),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('overflow' as const), channel: fc.constantFrom(LEADS, CONTACTS) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('logOut' as const), times }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('crash' as const),
        on: fc.constantFrom('append' as const, 'save' as const),
        when: fc.constantFrom('before' as const, 'after' as const),
        skip: fc.integer({ min: 0, max: 2 }),
      }),
    },
  );

  it('loses no record of any event committed after the start, whatever dies when', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        stage.reset();
        const both = [LEADS, CONTACTS];
        let current = stage.listen(both);
        let crashed = false;
        /** Records not seen yet, with their object and commit. */
        const missing = new Map<string, { object: string; at: number }>();
        const jobs = new Set<string>();
        stage.log.onCrash = () => {
          crashed = true;
        };
        // A catch-up reads what was committed when it began; a second command of the same id does nothing
        stage.log.onAppend = (messages) => {
          for (const { topic, value } of messages) {
            if (topic.name === topics.changes.name) missing.delete((value as RecordChange).recordId);
            if (topic.name !== topics.commands.name) continue;
            const { id, data } = value as Command;
            if (jobs.has(id)) continue;
            jobs.add(id);
            const { object, since = '' } = backfillStart.parse(data);
            for (const [recordId, change] of missing)
              if (change.object === object && change.at >= Date.parse(since)) missing.delete(recordId);
          }
        };
        await settle();
        const commit = (channel: string, numbers: number[], own: object = {}) => {
          const object = OBJECTS[channel] ?? '';
          for (const n of numbers) {
            missing.set(idOf(n), { object, at: Date.now() });
            stage.org.write(object, idOf(n), Date.now());
          }
          stage.org.commit(channel, { ...header(...numbers), entityName: object, ...own });
        };
        for (const [index, one] of steps.entries()) {
          const numbers = (count: number) => Array.from({ length: count }, (_, record) => index * 10 + record);
          if (one.do === 'commit') commit(one.channel, numbers(one.records));
          else if (one.do === 'overflow')
            commit(one.channel, numbers(9), { changeType: 'GAP_OVERFLOW', recordIds: NO_IDS });
          else if (one.do === 'expire') {
            stage.org.retainedFrom = stage.org.events.length;
            vi.setSystemTime(Date.now() + 73 * 3_600_000);
          } else if (one.do === 'wait') await settle(one.ms);
          else if (one.do === 'end') stage.org.streams.at(-1)?.fail(one.failure);
          else if (one.do === 'logOut') stage.log.failing = one.times;
          else if (one.do === 'crash') stage.log.crashAt = { on: one.on, when: one.when, skip: one.skip };
          else if (!crashed) {
            stage.log.crashAt = null;
            await current.stop();
            current = stage.listen(both);
          }
          if (crashed) {
            crashed = false;
            current = stage.listen(both);
          }
        }
        stage.log.crashAt = null;
        await settle(90_000);
        if (crashed) stage.listen(both);
        await settle(90_000);
        expect([...missing.keys()]).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });
});
