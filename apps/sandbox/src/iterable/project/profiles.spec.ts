import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.js';
import { Packer } from './packing.js';
import { ProfileStore, type Profile } from './profiles.js';

describe('Packer', () => {
  it('gives back what it was given', () => {
    const packer = new Packer();
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const safe = JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')) as JsonObject;
        expect(packer.unpack(packer.pack(safe))).toEqual(safe);
      }),
    );
  });
});

describe('ProfileStore', () => {
  const profile = (own: Partial<Profile>): Profile => ({
    email: null,
    userId: null,
    createdAt: 1,
    updatedAt: 2,
    fields: {},
    ...own,
  });

  it('finds by both identifiers, also after they changed, and not after a delete', () => {
    const store = new ProfileStore();
    const before = profile({ email: 'a@x.com', userId: 'u1', fields: { A: 1 } });
    const slot = store.write(null, before, null);
    store.write(slot, { ...before, email: 'b@x.com' }, before);
    expect(store.byEmail('a@x.com')).toEqual([]);
    expect(store.byEmail('b@x.com')).toEqual([slot]);
    expect(store.read(slot)).toEqual({ ...before, email: 'b@x.com' });
    store.delete(slot);
    expect(store.byUserId('u1')).toEqual([]);
    expect(store.size).toBe(0);
    expect(store.write(null, before, null)).toBe(slot);
  });

  it('holds several profiles under one identifier', () => {
    const store = new ProfileStore();
    const slots = ['a', 'b', 'c'].map((name) =>
      store.write(null, profile({ email: `${name}@x.com`, userId: 'same' }), null),
    );
    expect(store.byUserId('same')).toEqual(slots);
    store.delete(slots[1] ?? -1);
    expect(store.byUserId('same')).toEqual([slots[0], slots[2]]);
    store.delete(slots[0] ?? -1);
    store.delete(slots[2] ?? -1);
    expect(store.byUserId('same')).toEqual([]);
    expect([...store.slots()]).toEqual([]);
  });

  it('reads the new state after a write to the profile it read last', () => {
    const store = new ProfileStore();
    const slot = store.write(null, profile({ email: 'a@x.com' }), null);
    const before = store.read(slot);
    store.write(slot, { ...before, fields: { A: 1 } }, before);
    expect(store.read(slot).fields).toEqual({ A: 1 });
  });
});
