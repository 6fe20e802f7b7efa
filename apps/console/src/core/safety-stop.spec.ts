import { expect, it } from 'vitest';
import { DEAD_LETTERS_CHECK } from '@libs/service';
import type { ServiceHealth } from './answers.js';
import { SAFETY_STOP_CHECK, stoppedServices } from './safety-stop.js';

const service = (name: string, check: string, ok: boolean): ServiceHealth => ({
  name,
  state: ok ? 'ready' : 'not-ready',
  checks: [
    { name: 'log', ok: true },
    { name: check, ok },
  ],
});

it('tells who is stopped by the check that services set', () => {
  expect(SAFETY_STOP_CHECK).toBe(DEAD_LETTERS_CHECK);
  expect(
    stoppedServices([
      service('mapper', DEAD_LETTERS_CHECK, false),
      service('iterable-writer', DEAD_LETTERS_CHECK, true),
      service('batcher', 'log', false),
    ]),
  ).toEqual(['mapper']);
});
