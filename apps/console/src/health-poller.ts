import { z } from 'zod';
import { serviceHealth, type ServiceHealth } from './core/answers.js';
import { pause } from './pause.js';

/** Says how the other services are. Never rejects: a service that does not answer is `unreachable`. */
export type HealthSource = () => Promise<readonly ServiceHealth[]>;

const POLL_MS = 5_000;
/** Longest wait for one service. Milliseconds. */
const ANSWER_MS = 2_000;

/** The services of a whole sync, in the order of a change's way. */
export const watchedServices = ['cdc-listener', 'batcher', 'mapper', 'iterable-writer', 'backfill'] as const;

/** What `/health/ready` of libs/service answers. */
const readyAnswer = z.object({ checks: serviceHealth.shape.checks });

async function ask(name: string, url: string): Promise<ServiceHealth> {
  try {
    const response = await fetch(new URL('/health/ready', url), {
      signal: AbortSignal.timeout(ANSWER_MS),
      redirect: 'error',
    });
    const { checks } = readyAnswer.parse(await response.json());
    return { name, state: response.ok ? 'ready' : 'not-ready', checks };
  } catch {
    // Refused, too slow, or no answer of ours: for whoever looks it is the same.
    return { name, state: 'unreachable', checks: [] };
  }
}

/** Asks the services over HTTP; those without an address are `unwatched`. */
export function httpHealthSource(addresses: ReadonlyMap<string, string>): HealthSource {
  const names = [...new Set<string>([...watchedServices, ...addresses.keys()])];
  return () =>
    Promise.all(
      names.map(async (name) => {
        const url = addresses.get(name);
        return url === undefined ? { name, state: 'unwatched' as const, checks: [] } : ask(name, url);
      }),
    );
}

/** Asks for health until `signal` aborts. */
export async function pollHealth(
  source: HealthSource,
  onHealth: (services: readonly ServiceHealth[]) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    onHealth(await source());
    await pause(POLL_MS, signal);
  }
}
