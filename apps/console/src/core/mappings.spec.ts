import type { Status } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { addMappingStatus, mappingTrouble, noMappings } from './mappings.js';

let time = 0;
const said = (type: Status['type'], data: Status['data'], own: Partial<Status> = {}): Status => ({
  id: 'mapping',
  type,
  data,
  time: (time += 10),
  by: 'mapper',
  ...own,
});
const applied = (versions: Record<string, string>) =>
  said('mapping-applied', { versions, changed: Object.keys(versions), cause: 'edit' });
const refused = (versions: Record<string, string>, mistakes: string[]) =>
  said('mapping-refused', { versions, mistakes, cause: 'edit' });
const after = (...statuses: Status[]) => statuses.reduce(addMappingStatus, noMappings);

describe('addMappingStatus', () => {
  it('shows each version since it came into force, whoever says it again', () => {
    time = 0;
    const { view } = after(
      applied({ Lead: 'a', Contact: 'x' }),
      applied({ Lead: 'b', Contact: 'x' }),
      applied({ Lead: 'b' }),
    );
    expect(view).toEqual({ inForce: [{ object: 'Lead', version: 'b', since: 20 }], refused: null });
  });

  it('keeps what is wrong until something is in force again', () => {
    time = 0;
    const broken = after(applied({ Lead: 'a' }), refused({ Lead: 'a' }, ['Lead.yaml:1:1: no']));
    expect(broken.view).toEqual({
      inForce: [{ object: 'Lead', version: 'a', since: 10 }],
      refused: { mistakes: ['Lead.yaml:1:1: no'], since: 20 },
    });
    expect(addMappingStatus(broken, applied({ Lead: 'a' })).view.refused).toBeNull();
  });

  it('keeps the answers to commands, the newest 200', () => {
    const answers = Array.from({ length: 201 }, (_, n) =>
      said('completed', { versions: {}, changed: [] }, { id: `c${n}` }),
    );
    const { answers: kept } = after(...answers, said('rejected', { reason: 'no', mistakes: ['m'] }, { id: 'last' }));
    expect(kept.size).toBe(200);
    expect([kept.has('c0'), kept.has('c1'), kept.has('c2')]).toEqual([false, false, true]);
    expect(kept.get('last')).toEqual({ id: 'last', state: 'rejected', reason: 'no', mistakes: ['m'] });
  });

  it.each([
    [
      'another service',
      said('mapping-applied', { versions: { Lead: 'a' }, changed: [], cause: 'edit' }, { by: 'other' }),
    ],
    ['a job', said('completed', {}, { by: 'backfill' })],
    ['what it cannot read', said('mapping-applied', { versions: 'all' })],
    ['what it cannot read of a refusal', said('mapping-refused', { versions: {} })],
    ['progress', said('progress', {})],
  ])('passes %s over', (_, status) => {
    expect(addMappingStatus(noMappings, status)).toBe(noMappings);
  });
});

describe('mappingTrouble', () => {
  it.each([
    [[], null],
    [['Lead.yaml:1:1: no'], 'Lead.yaml:1:1: no'],
    [['Lead.yaml:1:1: no', 'b', 'c'], 'Lead.yaml:1:1: no (and 2 more)'],
  ])('names the first of %j', (mistakes, named) => {
    const mappings = mistakes.length === 0 ? after(applied({})) : after(refused({}, mistakes));
    expect(mappingTrouble(mappings)).toBe(
      named === null ? null : `the mapping files are refused, the last good version stays in force: ${named}`,
    );
  });
});
