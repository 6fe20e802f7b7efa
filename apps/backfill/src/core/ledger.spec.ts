import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutcomeKind } from '@libs/contracts';
import { Ledger } from './ledger.js';

const at = (offset: number, partition = 0) => ({ partition, offset });
const cursor = { queried: 0, startedAt: 0 };

describe('Ledger', () => {
  it('is settled when every published change has an outcome, and says what became of them', () => {
    const ledger = new Ledger();
    ledger.publish([at(1), at(2), at(3, 1)]);
    ledger.outcome({ offsets: ['0:1'], kind: 'written' });
    ledger.outcome({ offsets: ['0:2'], kind: 'skipped', reason: 'mapping.no_email' });
    expect(ledger.isSettled).toBe(false);
    ledger.outcome({ offsets: ['1:3'], kind: 'dead', reason: 'iterable.invalid_email' });
    expect(ledger.isSettled).toBe(true);
    expect(ledger.progress({ ...cursor, queried: 3, total: 3 }, 1_500)).toEqual({
      queried: 3,
      enqueued: 3,
      written: 1,
      superseded: 0,
      filtered: 0,
      skipped: 1,
      expanded: 0,
      dead: 1,
      total: 3,
      reasons: { 'mapping.no_email': 1, 'iterable.invalid_email': 1 },
      elapsedMs: 1_500,
    });
  });

  it('passes over changes of others that shared the window', () => {
    const ledger = new Ledger();
    ledger.publish([at(5)]);
    ledger.outcome({ offsets: ['0:4', '0:5', '0:6'], kind: 'written' });
    expect(ledger.progress(cursor, 0)).toMatchObject({ enqueued: 1, written: 1 });
  });

  it('with nothing published is settled', () => {
    expect(new Ledger().isSettled).toBe(true);
  });

  it('counts each change once, in whatever order publishing and outcomes arrive and repeat', () => {
    const kinds: OutcomeKind[] = ['written', 'superseded', 'skipped', 'dead'];
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 30 }),
        fc.infiniteStream(fc.boolean()),
        (offsets, flips) => {
          const ledger = new Ledger();
          const sorted = offsets.toSorted((a, b) => a - b);
          const events = sorted.flatMap((offset) => {
            const publish = () => ledger.publish([at(offset)]);
            const tell = () =>
              ledger.outcome({ offsets: [`0:${offset}`], kind: kinds[offset % kinds.length] ?? 'written' });
            return flips.next().value ? [tell, publish, tell] : [publish, tell, tell];
          });
          for (const event of events) event();
          const { enqueued, written, superseded, skipped, dead } = ledger.progress(cursor, 0);
          expect(ledger.isSettled).toBe(true);
          expect(enqueued).toBe(offsets.length);
          expect(written + superseded + skipped + dead).toBe(offsets.length);
        },
      ),
    );
  });
});
