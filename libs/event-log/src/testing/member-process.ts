import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './adapters.js';
import type { Orders, Report } from './member.js';

/** A member in a process of its own. */
export interface MemberProcess {
  /** What it told so far. */
  readonly reports: readonly Report[];
  /** Numbers of the records that it handled, in order. */
  handled(): number[];
  /** Partitions of its newest generation. */
  partitions(): readonly number[];
  /** Stops it where it is, as a long pause of the machine would, until {@link wake}. */
  freeze(): void;
  wake(): void;
  /** SIGKILL: no warning. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Starts it; resolves when it has joined. */
export async function startMember(orders: Orders): Promise<MemberProcess> {
  const child = spawn(
    process.execPath,
    [
      '--experimental-transform-types',
      '--disable-warning=ExperimentalWarning',
      '--import',
      path('run-typescript.mjs'),
      path('member.ts'),
      JSON.stringify(orders),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const reports: Report[] = [];
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  createInterface({ input: child.stdout }).on('line', (line) => reports.push(JSON.parse(line) as Report));
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals) => {
    if (gone()) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  await until(() => {
    if (gone()) throw new Error(`the member ended at once: ${complaints}`);
    return reports.some(({ kind }) => kind === 'ready');
  }, 'the member is ready');
  return {
    reports,
    handled: () => reports.flatMap((report) => (report.kind === 'handled' ? report.numbers : [])),
    partitions: () => reports.findLast((report) => report.kind === 'assigned')?.partitions ?? [],
    freeze: () => void child.kill('SIGUSR2'),
    wake: () => void child.kill('SIGCONT'),
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}
