import * as fc from 'fast-check';
import type { ProjectType } from '@libs/contracts';
import { topics } from '@libs/contracts';
import type { IterableSwitches } from '../../apps/sandbox/src/iterable/index.js';
import { differences } from './expected.js';
import type { OnDelete } from './model.js';
import { perform } from './operation.js';
import { disturbs, killsWriter, play, scriptOf, type Script } from './script.js';
import { World } from './world.js';
import type { WriterSetting } from './writer-generation.js';

/** A random case, with everything that it needs to happen again. */
export interface Case {
  readonly script: Script;
  readonly setting: WriterSetting;
  /** What is not known of Iterable. Its delays count only where the writer leaves time for them. */
  readonly switches: Partial<IterableSwitches>;
  readonly seed: number;
  /** May a record lose its address? Where none does there is less that may or may not be. */
  readonly blanks: boolean;
}

const onDelete: fc.Arbitrary<OnDelete> = fc.oneof(
  { weight: 5, arbitrary: fc.constant('delete') },
  { weight: 2, arbitrary: fc.constant('flag') },
  { weight: 1, arbitrary: fc.constantFrom('ignore', 'unsubscribe', 'forget') },
);

/** What the writer leaves between calls of different kinds about one profile, and what they may take. Milliseconds. */
const SETTLE_MS = 60_000;
const delay = fc.constantFrom(0, 2_000, 50_000);

export const caseOf = (projectType: ProjectType, operations: number): fc.Arbitrary<Case> =>
  fc.record({
    script: scriptOf(operations),
    setting: fc.record({
      projectType: fc.constant(projectType),
      onDelete,
      settleMs: fc.constantFrom(0, 0, 0, SETTLE_MS),
      usersPerRequest: fc.constantFrom(1, 3, 100),
    }),
    switches: fc.record({
      groupSubscriptions: fc.constantFrom('not-found', 'forbidden', 'enabled'),
      unknownSubscribers: fc.constantFrom('ignored', 'refused'),
      mergedSubscriptions: fc.constantFrom('united', 'destination'),
      visibilityDelayBulkMs: delay,
      visibilityDelaySingleMs: delay,
    }),
    seed: fc.nat(),
    blanks: fc.boolean(),
  });

/** The addresses of a case: few, one of them written in two ways. */
function addressesOf({ blanks }: Case): Array<string | null> {
  const usable = ['a@x.io', 'b@x.io', ' C@X.io', 'c@x.io', 'd@x.io'];
  return blanks ? [...usable, null, 'nobody@localhost'] : usable;
}

/** What is wrong at the end of a case as it was scheduled; empty: nothing. */
export function playScheduled(given: Case): Promise<string[]> {
  const once = !given.script.some(({ events }) => events.some(disturbs));
  return judged(given, once, async (world) => {
    for (const step of given.script) await play(world, step);
    await world.rest();
  });
}

/** The same operations, each of them carried through before the next. */
export function playInOrder(given: Case): Promise<string[]> {
  return judged(given, true, async (world) => {
    for (const { operation, afterMs } of given.script) {
      await world.commit((org, nowMs) => perform(org, operation, nowMs), afterMs);
      await world.rest();
    }
  });
}

/** A world that does not come to rest is wrong, too. */
function judged(given: Case, once: boolean, work: (world: World) => Promise<void>): Promise<string[]> {
  return inWorld(given, async (world) => {
    await work(world);
    return [
      ...wrongEndings(world, given.setting, once),
      ...differences(world.org, world.iterable.profiles(), { ...given.setting, crashed: killsWriter(given.script) }),
    ];
  }).catch((error: unknown) => [String(error)]);
}

/** Makes a case's world, and ends it. */
export async function inWorld<T>(given: Case, work: (world: World) => Promise<T>): Promise<T> {
  const { setting, seed } = given;
  // A writer that takes over does not know which calls about profiles of nobody's its predecessor made a moment ago
  const instant = setting.settleMs === 0 || killsWriter(given.script);
  const delays = instant ? { visibilityDelayBulkMs: 0, visibilityDelaySingleMs: 0 } : {};
  const world = new World({
    ...setting,
    addresses: addressesOf(given),
    seed,
    switches: { ...given.switches, ...delays },
  });
  try {
    return await work(world);
  } finally {
    world.close();
  }
}

/** Invariant 4: every change ends, and once where nothing was done twice. Only who was forgotten may be a dead letter. */
function wrongEndings(world: World, { onDelete: rule }: WriterSetting, once: boolean): string[] {
  const wrong: string[] = [];
  for (const [offset, kinds] of world.endings()) {
    const times = [...kinds.values()].reduce((sum, count) => sum + count, 0);
    if (times === 0) wrong.push(`change ${offset} has no outcome`);
    else if (once && times > 1) wrong.push(`change ${offset} has ${times} outcomes: ${JSON.stringify([...kinds])}`);
  }
  const letters = world.log.all(topics.deadLetters).map(({ value }) => (value as { code: string }).code);
  const unexpected = letters.filter((code) => rule !== 'forget' || !code.includes('forgotten'));
  if (unexpected.length > 0) wrong.push(`dead letters: ${[...new Set(unexpected)].join(', ')}`);
  return wrong;
}

/** A smaller case that still goes wrong: fewer steps, then fewer events. Greedy, so not the smallest there is. */
export async function reduceCase(failing: Case, run: (given: Case) => Promise<string[]>): Promise<Case> {
  let smallest = failing;
  const fails = async (script: Script) => {
    const candidate = { ...smallest, script };
    if ((await run(candidate)).length === 0) return false;
    smallest = candidate;
    return true;
  };
  for (let size = Math.ceil(failing.script.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = smallest.script.length - size; at >= 0; at -= size) {
      await fails(smallest.script.toSpliced(at, size));
    }
  }
  for (let step = smallest.script.length - 1; step >= 0; step -= 1) {
    for (let event = (smallest.script[step]?.events.length ?? 0) - 1; event >= 0; event -= 1) {
      const fewer = smallest.script.map((one, at) =>
        at === step ? { ...one, events: one.events.toSpliced(event, 1) } : one,
      );
      await fails(fewer);
    }
  }
  return smallest;
}
