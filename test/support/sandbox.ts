import { freePort, startProcess, type ServiceProcess } from './processes.js';

type Json = Record<string, unknown>;

/** A sandbox as a process of its own, spoken to as any client would: plain HTTP on its three doors. */
export interface SandboxProcess {
  readonly salesforceUrl: string;
  readonly iterableUrl: string;
  readonly adminUrl: string;
  /** host:port of the Pub/Sub API. */
  readonly pubsubEndpoint: string;
  readonly process: ServiceProcess;
  /** What a service needs to reach it: the settings of a real org and project, no more. */
  readonly settings: Readonly<Record<string, string>>;
  admin<T = Json>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
  createRecord(object: string, fields: Json): Promise<string>;
  updateRecord(object: string, id: string, fields: Json): Promise<void>;
  /** Updates up to 200 records in one request and one transaction. */
  updateRecords(object: string, ids: readonly string[], fieldsOf: (id: string) => Json): Promise<void>;
  query(soql: string): Promise<Json[]>;
  /** The profile, or `null` when Iterable has none. */
  profile(email: string): Promise<{ email: string; userId?: string; dataFields: Json } | null>;
  stop(): Promise<void>;
}

const VERSION = 'v67.0';

async function answer<T>(what: string, response: Response): Promise<T> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${what}: HTTP ${response.status} ${text.slice(0, 500)}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

export async function startSandbox(own: Readonly<Record<string, string>> = {}): Promise<SandboxProcess> {
  const [salesforcePort, iterablePort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const pubsubPort = await freePort();
  const process = await startProcess('sandbox', {
    SANDBOX_SALESFORCE_PORT: String(salesforcePort),
    SANDBOX_PUBSUB_PORT: String(pubsubPort),
    SANDBOX_ITERABLE_PORT: String(iterablePort),
    SANDBOX_ADMIN_PORT: String(adminPort),
    HTTP_PORT: String(adminPort),
    SANDBOX_DELIVERED_EVENTS_PER_DAY: '0',
    ...own,
  });
  const [salesforceUrl, iterableUrl, adminUrl] = [salesforcePort, iterablePort, adminPort].map(
    (port) => `http://127.0.0.1:${port}`,
  ) as [string, string, string];
  const sandbox = connectSandbox({ salesforceUrl, iterableUrl, adminUrl });
  const pubsubEndpoint = `127.0.0.1:${pubsubPort}`;
  return { ...sandbox, pubsubEndpoint, process, stop: async () => void (await process.stop()) };
}

/** A client for a sandbox that runs already. */
export function connectSandbox(doors: {
  readonly salesforceUrl: string;
  readonly iterableUrl: string;
  readonly adminUrl: string;
}): Omit<SandboxProcess, 'pubsubEndpoint' | 'process' | 'stop'> {
  const { salesforceUrl, iterableUrl, adminUrl } = doors;
  let token: Promise<string> | undefined;

  async function login(): Promise<string> {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'sandbox',
      client_secret: 'sandbox',
    });
    const reply = await fetch(`${salesforceUrl}/services/oauth2/token`, { method: 'POST', body });
    return (await answer<{ access_token: string }>('login', reply)).access_token;
  }

  /** Asks anew with a new session when the old one has ended, as sessions do when the clock jumps. */
  async function salesforce<T>(method: string, path: string, body?: unknown, attempts = 3): Promise<T> {
    token ??= login();
    const response = await fetch(`${salesforceUrl}/services/data/${VERSION}${path}`, {
      method,
      headers: { authorization: `Bearer ${await token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (response.status === 401 && attempts > 1) {
      token = undefined;
      return salesforce<T>(method, path, body, attempts - 1);
    }
    return answer<T>(`${method} ${path}`, response);
  }

  return {
    ...doors,
    settings: {
      SALESFORCE_LOGIN_URL: salesforceUrl,
      SALESFORCE_CLIENT_ID: 'sandbox',
      SALESFORCE_CLIENT_SECRET: 'sandbox',
      ITERABLE_BASE_URL: iterableUrl,
      ITERABLE_API_KEY: 'sandbox',
    },
    async admin<T>(method: string, path: string, body?: unknown) {
      const response = await fetch(`${adminUrl}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return answer<T>(`${method} ${path}`, response);
    },
    createRecord: async (object, fields) =>
      (await salesforce<{ id: string }>('POST', `/sobjects/${object}`, fields)).id,
    updateRecord: (object, id, fields) => salesforce<void>('PATCH', `/sobjects/${object}/${id}`, fields),
    async updateRecords(object, ids, fieldsOf) {
      const records = ids.map((id) => ({ attributes: { type: object }, id, ...fieldsOf(id) }));
      const results = await salesforce<Array<{ success: boolean }>>('PATCH', '/composite/sobjects', { records });
      const refused = results.filter((one) => !one.success);
      if (refused.length > 0) throw new Error(`updating ${object}: ${JSON.stringify(refused[0])}`);
    },
    async query(soql) {
      type Page = { records: Json[]; nextRecordsUrl?: string };
      let page = await salesforce<Page>('GET', `/query?q=${encodeURIComponent(soql)}`);
      const records = [...page.records];
      while (page.nextRecordsUrl !== undefined) {
        page = await salesforce<Page>('GET', page.nextRecordsUrl.replace(/^.*\/data\/v[\d.]+/, ''));
        records.push(...page.records);
      }
      return records;
    },
    async profile(email) {
      const response = await fetch(`${iterableUrl}/api/users/${encodeURIComponent(email)}`, {
        headers: { 'api-key': 'sandbox' },
      });
      const { user } = await answer<{ user?: { email: string; userId?: string; dataFields: Json } }>(
        'GET user',
        response,
      );
      return user ?? null;
    },
  };
}
