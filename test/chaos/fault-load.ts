import { setTimeout as delay } from 'node:timers/promises';
import { expectedLead, type MoreExpected } from '../support/compare.js';
import type { SandboxProcess } from '../support/sandbox.js';

const TURN_MS = 1_000;
/** Records that are edited again and again, so that an old state could win over a new one. */
const HOT = 50;
/** Iterable takes 3 a second. */
const FORGET_EVERY_MS = 500;

/** A repeatable source of numbers in [0, 1): mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** People's edits, which go on beside the backfill: a few new Leads, edits of any, and of a few again and again. */
export class Edits {
  made = 0;
  private readonly ending = new AbortController();
  private readonly editing: Promise<void>;

  constructor(
    private readonly sandbox: SandboxProcess,
    private readonly ids: string[],
    private readonly perSecond: number,
    private readonly random: () => number,
  ) {
    this.editing = this.run();
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.editing;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    for (let turn = 0; !signal.aborted; turn += 1) {
      await delay(TURN_MS, undefined, { signal }).catch(() => undefined);
      const chosen = new Set(Array.from({ length: this.perSecond }, (_, index) => this.pick(index % 2 === 0)));
      const records = [...chosen].map((Id) => ({ Id, Company: `Edit ${turn}`, Status: this.status() }));
      await this.write({ kind: 'update', object: 'Lead', records });
      this.made += records.length;
      if (turn % 5 !== 0) continue;
      const fresh = {
        FirstName: 'New',
        LastName: 'Lead',
        Company: `New ${turn}`,
        Email: `new.lead.${turn}@example.com`,
      };
      const { ids } = await this.write<{ ids: string[] }>({ kind: 'create', object: 'Lead', records: [fresh] });
      this.ids.push(...ids);
      this.made += 1;
    }
  }

  private write<T>(request: Readonly<Record<string, unknown>>): Promise<T> {
    return this.sandbox.admin<T>('POST', '/salesforce/records', { ...request, client: 'people' });
  }

  private pick(hot: boolean): string {
    const range = hot ? Math.min(HOT, this.ids.length) : this.ids.length;
    return this.ids[Math.floor(this.random() * range)] as string;
  }

  private status(): string {
    return this.random() < 0.5 ? 'Working - Contacted' : 'Open - Not Contacted';
  }
}

/** Leads whose address looks right and is none: Salesforce and the mapper take it, Iterable does not. Returns their ids. */
export async function plantInvalid(sandbox: SandboxProcess, count: number): Promise<string[]> {
  const records = Array.from({ length: count }, (_, n) => ({
    FirstName: 'No',
    LastName: 'Address',
    Company: 'Planted',
    Email: `planted.${n}@example.notatopleveldomain`,
  }));
  const { ids } = await sandbox.admin<{ ids: string[] }>('POST', '/salesforce/records', {
    kind: 'create',
    object: 'Lead',
    records,
    client: 'people',
  });
  return ids;
}

/** Has people forgotten in Iterable, as someone does there: nothing about them is ever taken again. */
export async function plantForgotten(sandbox: SandboxProcess, emails: readonly string[]): Promise<void> {
  for (const email of emails) {
    const response = await fetch(`${sandbox.iterableUrl}/api/users/forget`, {
      method: 'POST',
      headers: { 'api-key': 'sandbox', 'content-type': 'application/json' },
      body: JSON.stringify({ email }),
    });
    if (!response.ok) throw new Error(`forgetting: HTTP ${response.status} ${await response.text()}`);
    await delay(FORGET_EVERY_MS);
  }
}

/**
 * Gives a mapped number the type of a text, as another integration may have done before: of every second Lead a value must then be
 * converted, or it takes its whole request with it.
 */
export async function plantForeignType(sandbox: SandboxProcess): Promise<void> {
  const user = { email: 'somebody.else@example.org', dataFields: { Company: { Employees: 'many' } } };
  const response = await fetch(`${sandbox.iterableUrl}/api/users/bulkUpdate`, {
    method: 'POST',
    headers: { 'api-key': 'sandbox', 'content-type': 'application/json' },
    body: JSON.stringify({ users: [user] }),
  });
  const { successCount } = (await response.json()) as { successCount?: number };
  if (successCount !== 1) throw new Error(`planting a field: HTTP ${response.status}`);
}

/** What Iterable must hold of a Lead then. */
export const withForeignType: MoreExpected = {
  fields: ['NumberOfEmployees'],
  expected(row) {
    const { Company: company, ...expected } = expectedLead(row);
    const employees = row['NumberOfEmployees'];
    if (typeof employees !== 'number') return { ...expected, Company: company };
    return { ...expected, Company: { ...(company as object), Employees: String(employees) } };
  },
};
