import {
  createIterableClient,
  EndpointPace,
  ProfileCalls,
  Subscriptions,
  type EndpointPaceOptions,
  type IterableApi,
} from '@libs/iterable';
import { SandboxClock } from '../../apps/sandbox/src/clock.js';
import { Faults } from '../../apps/sandbox/src/faults.js';
import {
  createIterableSandbox,
  type IterableSandbox,
  type IterableSandboxOptions,
} from '../../apps/sandbox/src/iterable/index.js';

/** A project behind real HTTP, and our side of it. */
export interface Stage {
  readonly sandbox: IterableSandbox;
  readonly clock: SandboxClock;
  readonly faults: Faults;
  readonly client: IterableApi;
  readonly calls: ProfileCalls;
  readonly subscriptions: Subscriptions;
  readonly signal: AbortSignal;
  /** Puts users into the project; all must be taken. */
  seed(...users: object[]): Promise<void>;
  /** Calls that reached the project, reads among them: `POST users/merge`. */
  seen(): string[];
}

const open: IterableSandbox[] = [];

export async function openStage(
  options: IterableSandboxOptions = {},
  paceOptions: EndpointPaceOptions = {},
): Promise<Stage> {
  const clock = new SandboxClock();
  const faults = new Faults(() => 0.5);
  const sandbox = createIterableSandbox({ limits: { rates: {} }, clock, faults, ...options });
  open.push(sandbox);
  const { url } = await sandbox.listen();
  const client = createIterableClient({ baseUrl: url, apiKey: 'sandbox', timeoutMs: 5_000, userAgent: 'test/1' });
  const pace = new EndpointPace({ random: () => 0, ...paceOptions });
  return {
    sandbox,
    clock,
    faults,
    client,
    calls: new ProfileCalls(client, pace),
    subscriptions: new Subscriptions(client, pace),
    signal: new AbortController().signal,
    async seed(...users) {
      const { text } = await client.bulkUpdateUsers(JSON.stringify({ users }));
      const { successCount } = JSON.parse(text) as { successCount: number };
      if (successCount !== users.length) throw new Error(`not all users were taken: ${text}`);
    },
    seen: () => sandbox.requests().map(({ method, endpoint }) => `${method} ${endpoint}`),
  };
}

export async function closeStages(): Promise<void> {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
}
