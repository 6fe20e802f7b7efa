import type { ProjectType } from '@libs/contracts';
import { differences } from './expected.js';
import type { OnDelete } from './model.js';
import type { Fields, Org, OrgChange, OrgRecord } from './org.js';
import { World } from './world.js';

/** How a story reaches Iterable: step by step, all of it at once, or with a new writer after each step. */
export const tellings = ['step by step', 'all at once', 'with restarts'] as const;
export type Telling = (typeof tellings)[number];

/** What Iterable shows: in an email project address and record, else record and address. Sorted. */
export type Shown = readonly string[];

/** A case by hand: people by name, in an org and an Iterable project. */
export class Story {
  private readonly world: World;
  private readonly ids = new Map<string, string>();

  constructor(
    private readonly rules: { readonly projectType: ProjectType; readonly onDelete: OnDelete },
    private readonly telling: Telling,
    settleMs = 0,
  ) {
    this.world = new World({ ...rules, settleMs, usersPerRequest: 100, addresses: [], seed: 1 });
  }

  /** A second later than what was before, so that newer is newer. */
  async lead(name: string, email: string | null, fields: Fields = {}): Promise<void> {
    await this.create('Lead', name, { ...fields, email });
  }

  async contact(name: string, email: string | null, fields: Fields = {}): Promise<void> {
    await this.create('Contact', name, { ...fields, email });
  }

  async set(name: string, fields: Fields): Promise<void> {
    await this.step((org, nowMs) => org.update(this.id(name), fields, nowMs));
  }

  /** `to`: a Contact that is there, or the name of the one that comes of it. */
  async convert(lead: string, to: string): Promise<void> {
    await this.step((org, nowMs) => {
      const changes = org.convert(this.id(lead), this.ids.get(to) ?? null, nowMs);
      this.ids.set(to, changes[0]?.id ?? '');
      return changes;
    });
  }

  async merge(winner: string, loser: string, fields: Fields = {}): Promise<void> {
    await this.step((org, nowMs) => org.merge(this.id(winner), this.id(loser), fields, nowMs));
  }

  async delete(name: string): Promise<void> {
    await this.step((org, nowMs) => org.delete(this.id(name), nowMs));
  }

  async undelete(name: string): Promise<void> {
    await this.step((org, nowMs) => org.undelete(this.id(name), nowMs));
  }

  /** What Iterable shows at the end, and what of it the model objects to. Ends the story. */
  async end(): Promise<{ readonly shown: Shown; readonly unsubscribed: Shown; readonly wrong: readonly string[] }> {
    try {
      await this.world.rest();
      const profiles = this.world.iterable.profiles();
      const names = new Map([...this.ids].map(([name, id]) => [id, name]));
      const nameOf = (id: unknown) => names.get(String(id)) ?? String(id);
      const told = profiles.map(({ email, userId, data, unsubscribed }) => {
        const holder = nameOf((data['Salesforce'] as { Id?: string } | undefined)?.Id);
        const text = this.rules.projectType === 'email' ? `${email} ${holder}` : `${nameOf(userId)} ${email ?? '-'}`;
        return { text, unsubscribed };
      });
      return {
        shown: told.map(({ text }) => text).toSorted(),
        unsubscribed: told.flatMap(({ text, unsubscribed }) => (unsubscribed ? [text] : [])).toSorted(),
        wrong: differences(this.world.org, profiles, this.rules),
      };
    } finally {
      this.world.close();
    }
  }

  private async create(type: OrgRecord['type'], name: string, fields: Fields): Promise<void> {
    await this.step((org, nowMs) => {
      const changes = org.create(type, { firstName: name, own: 'Warm', ...fields }, nowMs);
      this.ids.set(name, changes[0]?.id ?? '');
      return changes;
    });
  }

  private async step(work: (org: Org, nowMs: number) => OrgChange[]): Promise<void> {
    await this.world.commit(work, 1_000);
    if (this.telling === 'all at once') return;
    await this.world.rest();
    if (this.telling === 'with restarts') this.world.killWriter(false);
  }

  private id(name: string): string {
    const id = this.ids.get(name);
    if (id === undefined) throw new Error(`nobody is called ${name}`);
    return id;
  }
}
