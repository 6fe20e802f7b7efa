import * as fc from 'fast-check';
import type { Lane } from '@libs/contracts';
import { PARTITIONS } from './memory-log.js';
import { lanes, type World } from './world.js';
import { perform, type Operation } from './operation.js';

/** Something that happens to the pipeline between two operations. */
export type Event =
  | { readonly do: 'flow' }
  | { readonly do: 'close-window'; readonly lane: Lane; readonly partition: number; readonly commit: boolean }
  | { readonly do: 'fetch'; readonly lane: Lane; readonly partition: number }
  | { readonly do: 'emit'; readonly lane: Lane; readonly partition: number; readonly commit: boolean }
  | { readonly do: 'deliver'; readonly lane: Lane; readonly partition: number; readonly most: number }
  | { readonly do: 'time'; readonly timers: number }
  | { readonly do: 'repeat'; readonly which: number }
  | { readonly do: 'backfill' }
  | { readonly do: 'kill-batcher'; readonly partition: number }
  | { readonly do: 'kill-mapper'; readonly partition: number }
  | { readonly do: 'kill-writer'; readonly keepStore: boolean };

export interface Step {
  readonly operation: Operation;
  readonly afterMs: number;
  readonly events: readonly Event[];
}

/** Does the writer die on the way? */
export const killsWriter = (script: Script): boolean =>
  script.some(({ events }) => events.some((event) => event.do === 'kill-writer'));

/** Does an event make something happen twice? */
export const disturbs = (event: Event): boolean => event.do.startsWith('kill-');

/** One case: what happens in an org, and to the pipeline meanwhile. */
export type Script = readonly Step[];

const nat = fc.nat({ max: 1_000 });
const lane = fc.constantFrom(...lanes);
const partition = fc.nat({ max: PARTITIONS - 1 });
const commit = fc.boolean();

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(
    ...(
      [
        ['create-lead', 4],
        ['create-contact', 4],
        ['edit', 8],
        ['email', 14],
        ['opt-out', 1],
        ['opt-in', 1],
        ['convert-to-new', 3],
        ['convert-to-existing', 3],
        ['merge', 3],
        ['delete', 5],
        ['undelete', 4],
        ['purge', 1],
      ] as const
    ).map(([kind, weight]) => ({ arbitrary: fc.constant<Operation['kind']>(kind), weight })),
  ),
  who: nat,
  whom: nat,
  what: nat,
});

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Event>({ do: 'flow' }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('close-window' as const), lane, partition, commit }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('fetch' as const), lane, partition }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('emit' as const), lane, partition, commit }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      lane,
      partition,
      most: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('time' as const), timers: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: nat }) },
  { weight: 1, arbitrary: fc.constant<Event>({ do: 'backfill' }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill-batcher' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill-mapper' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill-writer' as const), keepStore: fc.boolean() }) },
);

/** A case of so many operations. */
export const scriptOf = (operations: number): fc.Arbitrary<Script> =>
  fc.array(fc.record({ operation, afterMs: fc.nat({ max: 700 }), events: fc.array(event, { maxLength: 4 }) }), {
    minLength: operations,
    maxLength: operations,
  });

/** Plays one step; what is on its way then is still on its way. */
export async function play(world: World, { operation: done, afterMs, events }: Step): Promise<void> {
  await world.commit((org, nowMs) => perform(org, done, nowMs), afterMs);
  for (const one of events) await happen(world, one);
}

async function happen(world: World, what: Event): Promise<void> {
  switch (what.do) {
    case 'flow':
      await world.flow();
      return;
    case 'close-window':
      world.closeWindow(what.lane, what.partition, what.commit);
      return;
    case 'fetch':
      await world.fetch(what.lane, what.partition);
      return;
    case 'emit':
      world.emit(what.lane, what.partition, what.commit);
      return;
    case 'deliver':
      world.deliver(what.lane, what.partition, what.most);
      return;
    case 'time':
      for (let left = what.timers; left > 0; left -= 1) await world.clock.next();
      return;
    case 'repeat':
      world.repeat(what.which);
      return;
    case 'backfill':
      world.backfill();
      return;
    case 'kill-batcher':
      world.killBatcher(what.partition);
      return;
    case 'kill-mapper':
      world.killMapper(what.partition);
      return;
    case 'kill-writer':
      world.killWriter(what.keepStore);
  }
}
