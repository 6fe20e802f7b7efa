import { vi } from 'vitest';
import type { ProjectType } from '@libs/contracts';
import { SandboxClock } from '../../apps/sandbox/src/clock.js';
import { Faults } from '../../apps/sandbox/src/faults.js';
import { RateGate } from '../../apps/sandbox/src/iterable/gate.js';
import { handle, type Handling } from '../../apps/sandbox/src/iterable/handle.js';
import { iterableLimits, iterableSwitches, type IterableSwitches } from '../../apps/sandbox/src/iterable/index.js';
import { IterableProject } from '../../apps/sandbox/src/iterable/project/project.js';
import type { LoggedRequest } from '../../apps/sandbox/src/iterable/request-log.js';
import { withoutEmpty, type ShownProfile } from './model.js';

/** Fields that Iterable keeps itself, or that are no data. Source: facts/iterable.md §4. */
const MANAGED = new Set([
  'email',
  'userId',
  'signupDate',
  'signupSource',
  'profileUpdatedAt',
  'itblInternal',
  'unsubscribedChannelIds',
  'unsubscribedMessageTypeIds',
]);

/** One answered call, for the story of a failed case. */
export interface Call {
  readonly what: string;
  readonly status: number;
  readonly answer: string;
}

/** The sandbox's Iterable project behind `fetch`, without a socket: time stands still while it works. */
export class IterableInProcess {
  private readonly project: IterableProject;
  private readonly handling: Handling;
  readonly calls: Call[] = [];

  /** `pause`: what passes before a request arrives and before its answer is there. */
  constructor(
    projectType: ProjectType,
    private readonly pause: () => Promise<void>,
    switches: Partial<IterableSwitches> = {},
  ) {
    const clock = new SandboxClock();
    const limits = { ...iterableLimits, rates: {}, forgetsPerDay: 1_000_000 };
    this.project = new IterableProject(projectType, iterableSwitches.parse(switches), limits, clock);
    this.handling = {
      project: this.project,
      gate: new RateGate(limits, clock, () => this.project.switches),
      faults: new Faults(() => 0),
      keys: { serverSide: 'key', clientSide: 'client' },
      random: () => 0,
    };
  }

  /** From now on every `fetch` of this process comes here. */
  install(): void {
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => this.answer(new URL(url), init));
  }

  close(): void {
    vi.unstubAllGlobals();
    this.project.close();
  }

  /** Writes that it took and that do not show yet. */
  get pending(): number {
    return this.project.bulk.pending + this.project.single.pending + this.project.forget.pending;
  }

  profiles(): ShownProfile[] {
    return [...this.project.profiles.slots()].map((slot) => {
      const { email, userId, fields } = this.project.profiles.read(slot);
      const own = Object.fromEntries(Object.entries(fields).filter(([name]) => !MANAGED.has(name)));
      const off = fields['unsubscribedChannelIds'];
      const unsubscribed = Array.isArray(off) && this.marketing().every((id) => off.includes(id));
      return { email, userId, data: withoutEmpty(own), unsubscribed };
    });
  }

  /** The channels of marketing by email: who opted out of email is in none of them. */
  private marketing(): number[] {
    return this.project.channels.channels
      .filter(({ channelType, messageMedium }) => channelType === 'Marketing' && messageMedium === 'Email')
      .map(({ id }) => id);
  }

  private async answer(url: URL, init: RequestInit): Promise<unknown> {
    await this.pause();
    const { signal } = init;
    signal?.throwIfAborted();
    const method = init.method ?? 'GET';
    const body = typeof init.body === 'string' ? init.body : '';
    const outcome = await handle(
      this.handling,
      {
        method,
        path: url.pathname,
        query: url.searchParams,
        body,
        key: (init.headers as Record<string, string>)['api-key'],
        ip: '127.0.0.1',
        signal: signal ?? new AbortController().signal,
      },
      { faults: [] } as unknown as LoggedRequest,
    );
    if (outcome.kind !== 'answer') throw new TypeError('no fault is set, so every request is answered');
    const { status, html, body: json } = outcome.answer;
    const text = html ?? JSON.stringify(json);
    this.calls.push({ what: `${method} ${url.pathname}${url.search} ${body}`, status, answer: text });
    await this.pause();
    signal?.throwIfAborted();
    return { status, headers: new Headers(outcome.answer.headers), text: () => Promise.resolve(text) };
  }
}
