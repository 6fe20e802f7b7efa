import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { toRecordId } from '@libs/contracts';
import { RecordIdSet } from './record-id-set.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'.split('');
const anId = fc
  .array(fc.constantFrom(...ALPHABET), { minLength: 15, maxLength: 15 })
  .map((characters) => toRecordId(characters.join('')) as string);

it('holds what a Set of strings would, whatever the ids', () => {
  fc.assert(
    fc.property(fc.array(anId, { maxLength: 60 }), (ids) => {
      const [packed, plain] = [new RecordIdSet(), new Set<string>()];
      for (const id of [...ids, ...ids.toReversed()]) {
        const isNew = !plain.has(id);
        plain.add(id);
        expect(packed.add(id)).toBe(isNew);
      }
      expect(packed.size).toBe(plain.size);
    }),
  );
});

it.each(['000000000000000', 'zzzzzzzzzzzzzzz', 'ZZZZZZZZZZZZZZZ', '00Q00000000000z', '00Q00000000000Z'])(
  'knows %s from its neighbours',
  (id15) => {
    const set = new RecordIdSet();
    expect([set.add(toRecordId(id15) as string), set.add(toRecordId(id15) as string)]).toEqual([true, false]);
    expect(set.add(toRecordId(`1${id15.slice(1)}`) as string)).toBe(true);
    expect(set.add(toRecordId(`${id15.slice(0, 14)}1`) as string)).toBe(true);
  },
);

it('keeps every id of a growing run, which differ in their last characters only', () => {
  const set = new RecordIdSet();
  const idOf = (n: number) => toRecordId(`00Q5f00000${n.toString(36).padStart(5, '0')}`) as string;
  for (let n = 0; n < 50_000; n += 1) expect(set.add(idOf(n))).toBe(true);
  for (let n = 0; n < 50_000; n += 1) expect(set.add(idOf(n))).toBe(false);
  expect(set.size).toBe(50_000);
});
