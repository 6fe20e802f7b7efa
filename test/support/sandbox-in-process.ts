import { loadSettings } from '@libs/config';
import { createSandbox, type Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { sandboxSettings } from '../../apps/sandbox/src/sandbox.config.js';
import { connectSandbox } from './sandbox.js';

/** A sandbox in the test's own process, on free ports: its clock and faults at hand, its doors still real HTTP. */
export function openSandbox(own: Readonly<Record<string, string>> = {}): Promise<Sandbox> {
  return createSandbox(
    loadSettings('sandbox', sandboxSettings, {
      SANDBOX_SALESFORCE_PORT: '0',
      SANDBOX_PUBSUB_PORT: '0',
      SANDBOX_ITERABLE_PORT: '0',
      SANDBOX_ADMIN_PORT: '0',
      ...own,
    }),
  );
}

/** A client of it with a session of its own. */
export function clientOf({ urls }: Pick<Sandbox, 'urls'>): ReturnType<typeof connectSandbox> {
  return connectSandbox({ salesforceUrl: urls.salesforce, iterableUrl: urls.iterable, adminUrl: urls.admin });
}
