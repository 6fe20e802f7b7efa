import { SandboxClock } from '../../clock.js';
import { Faults } from '../../faults.js';
import type { SalesforceSandboxOptions } from '../options.js';
import { seededRandom } from '../random.js';
import { createSalesforceSandbox, type SalesforceSandbox } from '../sandbox.js';

/** A sandbox on a free port, for specs: the door's address, its clock and faults, and plain HTTP with a token. */
export interface TestOrg {
  readonly url: string;
  /** `host:port` of the Pub/Sub API, if the options open it. */
  readonly pubsub: string;
  readonly sandbox: SalesforceSandbox;
  readonly clock: SandboxClock;
  readonly faults: Faults;
  /** A fresh access token by client credentials. */
  token(): Promise<string>;
  /** One REST request as client `Spec`; JSON in, JSON (or text) out. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestAnswer>;
  /** `GET query?q=…`, all of one page. */
  query(soql: string): Promise<QueryAnswer>;
  close(): Promise<void>;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface QueryAnswer {
  readonly totalSize: number;
  readonly done: boolean;
  readonly nextRecordsUrl?: string;
  readonly records: ReadonlyArray<Record<string, unknown>>;
}

export const API = '/services/data/v67.0';

/** Opens a sandbox with a seeded fault source. */
export async function openTestOrg(options: Partial<SalesforceSandboxOptions> = {}): Promise<TestOrg> {
  const clock = new SandboxClock();
  const faults = new Faults(seededRandom(7));
  const sandbox = createSalesforceSandbox({ port: 0, host: '127.0.0.1', clock, faults, ...options });
  const { url } = await sandbox.listen();
  const pubsub = options.pubsub === undefined ? '' : await sandbox.listenPubSub();
  const token = async () => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'sandbox',
      client_secret: 'sandbox',
    });
    const response = await fetch(`${url}/services/oauth2/token`, { method: 'POST', body: form });
    return ((await response.json()) as { access_token: string }).access_token;
  };
  let shared: string | null = null;
  const call: TestOrg['call'] = async (method, path, body, headers = {}) => {
    shared ??= await token();
    const response = await fetch(url + (path.startsWith('/services') ? path : API + path), {
      method,
      headers: {
        authorization: `Bearer ${shared}`,
        'sforce-call-options': 'client=Spec',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  return {
    url,
    pubsub,
    sandbox,
    clock,
    faults,
    token,
    call,
    query: async (soql) => (await call('GET', `/query?q=${encodeURIComponent(soql)}`)).body as QueryAnswer,
    close: () => sandbox.close(),
  };
}
