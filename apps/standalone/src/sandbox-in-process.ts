import { loadSettings, type Environment } from '@libs/config';
import { createSandbox, type Sandbox } from '../../sandbox/src/sandbox.js';
import { sandboxSettings } from '../../sandbox/src/sandbox.config.js';

/** What the demo holds at its start: enough to look at, quick to make. */
const DEMO_RECORDS = {
  SANDBOX_LEADS: '500',
  SANDBOX_CONTACTS: '300',
  SANDBOX_ACCOUNTS: '50',
  SANDBOX_CHANGES_PER_SECOND: '3',
  // A demo may run over night: 50,000 events a day, as a real org gives, would be used up by then.
  SANDBOX_DELIVERED_EVENTS_PER_DAY: '0',
};

/** Opens the sandbox's doors beside the services; they reach it over HTTP like the real systems. */
export async function startSandbox(environment: Environment): Promise<Sandbox> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => (value ?? '') !== ''));
  return createSandbox(loadSettings('sandbox', sandboxSettings, { ...DEMO_RECORDS, ...given }));
}
