import type { Environment } from '@libs/config';

/** Settings that say where the real systems are: one of them turns the sandbox off. */
const REAL = ['SALESFORCE_LOGIN_URL', 'SALESFORCE_CLIENT_ID', 'ITERABLE_API_KEY', 'ITERABLE_BASE_URL'] as const;

/** Is this a first look, without an org and a project? */
export function isDemo(environment: Environment): boolean {
  return REAL.every((name) => [name, `${name}_FILE`].every((key) => (environment[key] ?? '') === ''));
}

/** What the demo sets where the environment says nothing: the sandbox's doors and shorter windows. */
export function demoEnvironment(
  environment: Environment,
  sandbox: { readonly salesforceUrl: string; readonly pubsubAddress: string; readonly iterableUrl: string },
): Environment {
  const demo: Record<string, string> = {
    SALESFORCE_LOGIN_URL: sandbox.salesforceUrl,
    SALESFORCE_CLIENT_ID: 'sandbox',
    SALESFORCE_CLIENT_SECRET: 'sandbox',
    SALESFORCE_USERNAME: 'sandbox',
    SALESFORCE_PASSWORD: 'sandbox',
    SALESFORCE_PUBSUB_ENDPOINT: sandbox.pubsubAddress,
    SALESFORCE_PUBSUB_INSECURE: 'true',
    ITERABLE_BASE_URL: sandbox.iterableUrl,
    ITERABLE_API_KEY: 'sandbox',
    BATCHER_WINDOW_MS: '2000',
  };
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => (value ?? '') !== ''));
  return { ...demo, ...given };
}
