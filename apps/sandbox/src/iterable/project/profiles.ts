import type { Json, JsonObject } from './json.js';
import { Packer } from './packing.js';

/** One user. `email` is lower-case. Times are epoch milliseconds. */
export interface Profile {
  email: string | null;
  userId: string | null;
  createdAt: number;
  updatedAt: number;
  fields: JsonObject;
}

/** Where a profile is kept; valid until it is deleted. */
export type Slot = number;

const NONE: readonly Slot[] = [];

/** An index whose keys are not unique: several profiles may share a user id (email-based) or an email (userID-based). */
class Index {
  private readonly slots = new Map<string, Slot | Slot[]>();

  find(key: string): readonly Slot[] {
    const found = this.slots.get(key);
    if (found === undefined) return NONE;
    return typeof found === 'number' ? [found] : found;
  }

  add(key: string, slot: Slot): void {
    const found = this.slots.get(key);
    if (found === undefined) this.slots.set(key, slot);
    else this.slots.set(key, typeof found === 'number' ? [found, slot] : [...found, slot]);
  }

  remove(key: string, slot: Slot): void {
    const rest = this.find(key).filter((one) => one !== slot);
    if (rest.length === 0) this.slots.delete(key);
    else this.slots.set(key, rest.length === 1 ? (rest[0] ?? slot) : rest);
  }
}

/** All profiles of a project, compact: about 0.6 KB for a profile of 25 fields, so that a million fit beside an org. */
export class ProfileStore {
  private readonly packer = new Packer();
  private readonly packed: Array<string | undefined> = [];
  private readonly free: Slot[] = [];
  private readonly emails = new Index();
  private readonly userIds = new Index();
  /** A write reads its profile twice, for identity and for its fields: the second time costs nothing. */
  private lastRead: { slot: Slot; profile: Profile } | null = null;

  get size(): number {
    return this.packed.length - this.free.length;
  }

  byEmail(email: string): readonly Slot[] {
    return this.emails.find(email);
  }

  byUserId(userId: string): readonly Slot[] {
    return this.userIds.find(userId);
  }

  /** Not to be modified. */
  read(slot: Slot): Readonly<Profile> {
    if (this.lastRead?.slot === slot) return this.lastRead.profile;
    const text = this.packed[slot];
    if (text === undefined) throw new Error(`no profile in slot ${slot}`);
    const [email, userId, createdAt, updatedAt, fields] = this.packer.unpack(text) as Json[];
    const profile: Profile = {
      email: email as string | null,
      userId: userId as string | null,
      createdAt: createdAt as number,
      updatedAt: updatedAt as number,
      fields: fields as JsonObject,
    };
    this.lastRead = { slot, profile };
    return profile;
  }

  /** Writes over a profile, or makes a new one where `slot` is null. `before` spares a second read. */
  write(slot: Slot | null, profile: Profile, before: Readonly<Profile> | null): Slot {
    this.lastRead = null;
    const at = slot ?? this.free.pop() ?? this.packed.length;
    if (before?.email !== profile.email) {
      if (before?.email) this.emails.remove(before.email, at);
      if (profile.email !== null) this.emails.add(profile.email, at);
    }
    if (before?.userId !== profile.userId) {
      if (before?.userId) this.userIds.remove(before.userId, at);
      if (profile.userId !== null) this.userIds.add(profile.userId, at);
    }
    this.packed[at] = this.packer.pack([
      profile.email,
      profile.userId,
      profile.createdAt,
      profile.updatedAt,
      profile.fields,
    ]);
    return at;
  }

  delete(slot: Slot): void {
    const profile = this.read(slot);
    this.lastRead = null;
    if (profile.email !== null) this.emails.remove(profile.email, slot);
    if (profile.userId !== null) this.userIds.remove(profile.userId, slot);
    this.packed[slot] = undefined;
    this.free.push(slot);
  }

  *slots(): Generator<Slot> {
    for (let slot = 0; slot < this.packed.length; slot += 1) if (this.packed[slot] !== undefined) yield slot;
  }
}
