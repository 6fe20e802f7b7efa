import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { activeOf, sample } from '../support/metrics.js';
import type { ServiceProcess } from '../support/processes.js';

const LOOK_EVERY_MS = 2_000;
const LOOK_FOR_ACTIVE_MS = 250;
/** A heap grows and shrinks by so much without a leak. MiB. */
export const FLAT_WITHIN_MIB = 64;

interface Sample {
  readonly phase: string;
  readonly pid: number;
  readonly mib: number;
  readonly paused: boolean;
}

export interface MemorySummary {
  readonly phase: string;
  readonly samples: number;
  readonly min: number;
  readonly max: number;
  /** Of the last one. */
  readonly last: number;
}

/** Resident memory of a process now, MiB; `null` where it is gone, or the system does not tell (not Linux). */
function residentMiB(pid: number): number | null {
  try {
    const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return resident === undefined ? null : Math.round(Number(resident) / 1024);
  } catch {
    return null;
  }
}

/** Looks at the active writer again and again: who it is, and what memory it has. */
export class WriterWatch {
  phase = 'start';
  private readonly samples: Sample[] = [];
  private readonly watching: Promise<void>;
  private readonly ending = new AbortController();

  constructor(private readonly writers: () => readonly ServiceProcess[]) {
    this.watching = this.watch();
  }

  active(): Promise<ServiceProcess | null> {
    return activeOf(this.writers(), 'sync_writer_active');
  }

  get latest(): Sample | undefined {
    return this.samples.at(-1);
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.watching;
  }

  summaries(): MemorySummary[] {
    return [...Map.groupBy(this.samples, ({ phase }) => phase)].map(([phase, samples]) => {
      const mib = samples.map((one) => one.mib);
      return { phase, samples: mib.length, min: Math.min(...mib), max: Math.max(...mib), last: mib.at(-1) ?? 0 };
    });
  }

  /**
   * Of the writer that lived longest in a phase: by how much its memory was larger in the last third of that time than in the middle
   * one, maximum against maximum, MiB. The first third is for filling up.
   */
  growth(phase: string): { readonly samples: number; readonly mib: number } {
    const lives = Map.groupBy(
      this.samples.filter((one) => one.phase === phase),
      ({ pid }) => pid,
    );
    const [longest = []] = [...lives.values()].toSorted((a, b) => b.length - a.length);
    const third = Math.floor(longest.length / 3);
    const most = (samples: readonly Sample[]) => Math.max(0, ...samples.map(({ mib }) => mib));
    return { samples: longest.length, mib: most(longest.slice(2 * third)) - most(longest.slice(third, 2 * third)) };
  }

  private async watch(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      const active = await this.active().catch(() => null);
      const pid = active?.child.pid;
      if (active === null || pid === undefined) continue;
      const mib = residentMiB(pid);
      const paused = (await sample(active, 'sync_writer_paused').catch(() => 0)) === 1;
      if (mib !== null) this.samples.push({ phase: this.phase, pid, mib, paused });
    }
  }
}

/** Kills the active writer without warning, again and again, and starts another as a standby each time. */
export class WriterKiller {
  kills = 0;
  private paused = false;
  private readonly ending = new AbortController();
  private readonly killing: Promise<void>;

  constructor(
    private readonly everyMs: number,
    private readonly active: () => Promise<ServiceProcess | null>,
    private readonly start: () => Promise<unknown>,
  ) {
    this.killing = this.run();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** Errors: one of its starts failed. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.killing;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    let nextAt = Date.now() + this.everyMs;
    while (!signal.aborted) {
      await delay(LOOK_FOR_ACTIVE_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || this.paused || Date.now() < nextAt) continue;
      // Nobody may be active just now: then whoever is next
      const active = await this.active();
      if (active === null) continue;
      nextAt = Math.max(nextAt + this.everyMs, Date.now() + this.everyMs / 2);
      await active.kill();
      this.kills += 1;
      await this.start();
    }
  }
}
