import type { SandboxClock } from '../../clock.js';
import type { IterableLimits } from '../limits.js';
import { Pipeline } from '../pipeline.js';
import type { IterableSwitches, ProjectType } from '../switches.js';
import { seededChannels, type ChannelSet } from './channels.js';
import { FieldRegistry } from './field-registry.js';
import { planIdentity, type Directory, type Identifiers, type Plan, type Target } from './identity.js';
import type { JsonObject } from './json.js';
import { mergeFields } from './merge-fields.js';
import { ProfileStore, type Profile, type Slot } from './profiles.js';

/** `yyyy-MM-dd HH:mm:ss +00:00`, the form in which Iterable echoes times. */
export function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} +00:00`;
}

/** One user's write, checked, as it goes down a pipeline. */
export interface Write {
  ids: Identifiers;
  fields: JsonObject;
  mergeNestedObjects: boolean;
}

/** The state of an Iterable project and the rules by which it changes; it knows no HTTP. */
export class IterableProject implements Directory {
  profiles = new ProfileStore();
  fields: FieldRegistry;
  readonly forgottenEmails = new Set<string>();
  readonly forgottenUserIds = new Set<string>();
  readonly bulk: Pipeline;
  readonly single: Pipeline;
  /** Forgetting takes longer than all else. */
  readonly forget: Pipeline;
  /** What can be unsubscribed from. */
  channels: ChannelSet = seededChannels;
  /** Users written and refused since the start, by any endpoint. */
  readonly counts = { written: 0, failed: 0 };

  constructor(
    readonly projectType: ProjectType,
    public switches: IterableSwitches,
    readonly limits: IterableLimits,
    readonly clock: SandboxClock,
  ) {
    this.fields = new FieldRegistry(limits.maxValueLength);
    this.bulk = new Pipeline(clock, () => this.switches.visibilityDelayBulkMs);
    this.single = new Pipeline(clock, () => this.switches.visibilityDelaySingleMs);
    this.forget = new Pipeline(clock, () => this.switches.visibilityDelayForgetMs);
  }

  byEmail(email: string): readonly Slot[] {
    return this.profiles.byEmail(email);
  }

  byUserId(userId: string): readonly Slot[] {
    return this.profiles.byUserId(userId);
  }

  identityOf(slot: Slot): { email: string | null; userId: string | null } {
    return this.profiles.read(slot);
  }

  isForgotten(kind: 'email' | 'userId', value: string): boolean {
    return (kind === 'email' ? this.forgottenEmails : this.forgottenUserIds).has(value);
  }

  plan(ids: Identifiers): Plan {
    return planIdentity(ids, { projectType: this.projectType, bothIdentifiers: this.switches.bothIdentifiers }, this);
  }

  /** Writes one user to the target its plan found. Returns whether the profile changed. */
  apply(write: Write, target: Target): boolean {
    const now = this.clock.now();
    const before = target.slot === null ? null : this.profiles.read(target.slot);
    const { email: _email, userId: _userId, ...own } = write.fields;
    const nested = write.mergeNestedObjects ? this.switches.nestedMerge : 'replace';
    const current = before?.fields ?? { signupDate: formatTime(now) };
    const after: Profile = {
      email: target.email,
      userId: target.userId,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      fields: mergeFields(current, own, nested),
    };
    const changed =
      this.switches.noOpLists !== 'filled' ||
      before === null ||
      before.email !== after.email ||
      before.userId !== after.userId ||
      JSON.stringify(before.fields) !== JSON.stringify(after.fields);
    this.profiles.write(target.slot, after, before);
    return changed;
  }

  /** Plans again and writes: what a pipeline does when a write's time has come. A write that no longer fits is lost. */
  applyLater(write: Write): void {
    const plan = this.plan(write.ids);
    if (plan.ok) this.apply(write, plan.target);
  }

  /** A profile as GET shows it, or null. */
  echo(slot: Slot | undefined): JsonObject | null {
    if (slot === undefined) return null;
    const { email, userId, createdAt, updatedAt, fields } = this.profiles.read(slot);
    const identity: JsonObject = {};
    if (email !== null) identity['email'] = email;
    if (userId !== null) identity['userId'] = userId;
    return {
      ...identity,
      dataFields: {
        ...identity,
        ...fields,
        signupSource: 'API',
        profileUpdatedAt: formatTime(updatedAt),
        itblInternal: {
          documentCreatedAt: formatTime(createdAt),
          documentUpdatedAt: formatTime(updatedAt),
          ...(email === null ? {} : { emailDomain: email.slice(email.lastIndexOf('@') + 1) }),
        },
      },
    };
  }

  reset(): void {
    this.bulk.reset();
    this.single.reset();
    this.forget.reset();
    this.profiles = new ProfileStore();
    this.fields = new FieldRegistry(this.limits.maxValueLength);
    this.forgottenEmails.clear();
    this.forgottenUserIds.clear();
    this.counts.written = 0;
    this.counts.failed = 0;
  }

  close(): void {
    this.bulk.close();
    this.single.close();
    this.forget.close();
  }
}
