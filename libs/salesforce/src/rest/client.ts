import { PassThrough } from 'node:stream';
import type { SalesforceSettings } from '@libs/config';
import type { Logger } from '@libs/observability';
import { z } from 'zod';
import { SalesforceAccessError, SalesforceSessionError, SalesforceUnavailableError } from '../errors.js';
import type { Allowance, DetailedObject, OrgClient, QueryPage } from '../port.js';
import { encodeSoql } from '../soql/chunk-ids.js';
import { identifier } from '../soql/soql.js';
import { createSend, type ClientMetrics, type Send } from './http.js';
import { createSessions, type Session, type Sessions } from './session.js';

export interface SalesforceClientOptions {
  readonly metrics: ClientMetrics;
  readonly logger?: Logger;
  /** Longest wait for one answer, by kind of call. Milliseconds. */
  readonly deadlines?: Partial<typeof DEADLINES_MS>;
}

/** Salesforce itself gives up a query after 120 s (facts/salesforce.md §4.2): waiting a little longer shows its own answer. */
const DEADLINES_MS = { query: 130_000, describe: 60_000, limits: 30_000 };

const queryAnswer = z.object({
  totalSize: z.number().int(),
  done: z.boolean(),
  nextRecordsUrl: z.string().startsWith('/services/data/').optional(),
  records: z.array(z.record(z.string(), z.unknown())),
});

const describeAnswer = z.object({
  name: z.string(),
  label: z.string().default(''),
  keyPrefix: z.string().nullable().default(null),
  fields: z.array(
    z.object({
      name: z.string(),
      label: z.string().default(''),
      type: z.string(),
      calculated: z.boolean().default(false),
      calculatedFormula: z.string().nullable().default(null),
      nillable: z.boolean().default(true),
      filterable: z.boolean().default(true),
      length: z.number().default(0),
      relationshipName: z.string().nullable().default(null),
      referenceTo: z
        .array(z.string())
        .nullable()
        .default([])
        .transform((objects) => objects ?? []),
      picklistValues: z
        .array(z.object({ value: z.string(), active: z.boolean().default(true) }))
        .nullable()
        .default([])
        .transform((values) => values ?? []),
    }),
  ),
});

const objectsAnswer = z.object({
  sobjects: z.array(z.object({ name: z.string(), queryable: z.boolean().default(true) })),
});

const limitsAnswer = z.record(z.string(), z.unknown());
const allowance = z.object({ Max: z.number(), Remaining: z.number() });

interface Ask {
  /** Below `/services/`, or below the version root. */
  readonly path: string;
  readonly doing: string;
  readonly deadlineMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** jsforce builds the request and reads the answer; the call itself is ours (see {@link createSend}). */
async function ask(session: Session, send: Send, { path, headers, ...call }: Ask): Promise<unknown> {
  const transport = {
    httpRequest(request: { url: string; headers?: Record<string, string> }) {
      const sent = send({ method: 'GET', url: request.url, headers: request.headers ?? {}, ...call }).then(
        ({ status, ...answer }) => ({ ...answer, statusCode: status }),
      );
      return Object.assign(sent, { stream: () => new PassThrough().end() });
    },
  };
  return session.connection.request({ method: 'GET', url: path, headers: { ...headers } }, { transport });
}

/** Reads an answer in its promised shape. A 200 that is a login page or cut short is a failure of the world. */
function read<T>(schema: z.ZodType<T>, answer: unknown, doing: string): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new SalesforceUnavailableError(`${doing}: unreadable answer${where === '' ? '' : ` at ${where}`}`);
}

/** A promise that is also given up when the caller is; what it waits for goes on for the others. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const giveUp = () => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** The REST client with the sessions beside it: the change-event subscription needs both. */
export function createClientWithSessions(
  settings: SalesforceSettings,
  { metrics, logger, deadlines }: SalesforceClientOptions,
): { readonly client: OrgClient; readonly sessions: Sessions } {
  const send = createSend(metrics);
  const sessions = createSessions(settings, send, logger);
  const deadlinesMs = { ...DEADLINES_MS, ...deadlines };

  /** Asks with the session in use; when it is refused, once more with a renewed one. */
  async function call(request: Ask): Promise<unknown> {
    const session = await unlessAborted(sessions.current(), request.signal);
    try {
      return await ask(session, send, request);
    } catch (error) {
      if (!(error instanceof SalesforceSessionError)) throw error;
      logger?.info({ doing: request.doing }, 'the Salesforce session is refused: renewing it');
      const renewed = await unlessAborted(sessions.renew(session), request.signal);
      try {
        return await ask(renewed, send, request);
      } catch (again) {
        if (!(again instanceof SalesforceSessionError)) throw again;
        throw new SalesforceAccessError(`${request.doing}: a new session is refused too`, { cause: again });
      }
    }
  }

  async function page(request: Omit<Ask, 'deadlineMs'>): Promise<QueryPage> {
    const answer = await call({ ...request, deadlineMs: deadlinesMs.query });
    const { totalSize, records, done, nextRecordsUrl } = read(queryAnswer, answer, request.doing);
    return { totalSize, records, next: done ? null : (nextRecordsUrl ?? missingNext(request.doing)) };
  }

  const client: OrgClient = {
    query: (soql, { includeDeleted = false, pageSize, signal } = {}) =>
      page({
        path: `/${includeDeleted ? 'queryAll' : 'query'}?q=${encodeSoql(soql)}`,
        doing: `query on ${/\bFROM\s+(\w+)/i.exec(soql)?.[1] ?? 'an object'}`,
        headers: pageSize === undefined ? {} : { 'Sforce-Query-Options': `batchSize=${pageSize}` },
        signal,
      }),
    queryMore: (next, { signal } = {}) => page({ path: next, doing: 'next page of a query', signal }),
    describe: async (object): Promise<DetailedObject> => {
      const doing = `describe of ${identifier(object)}`;
      const answer = await call({ path: `/sobjects/${object}/describe`, doing, deadlineMs: deadlinesMs.describe });
      return read(describeAnswer, answer, doing);
    },
    listObjects: async () => {
      const answer = await call({ path: '/sobjects', doing: 'list of objects', deadlineMs: deadlinesMs.describe });
      const { sobjects } = read(objectsAnswer, answer, 'list of objects');
      return sobjects.filter(({ queryable }) => queryable).map(({ name }) => name);
    },
    limits: async (): Promise<ReadonlyMap<string, Allowance>> => {
      const answer = await call({ path: '/limits', doing: 'limits', deadlineMs: deadlinesMs.limits });
      const found = new Map<string, Allowance>();
      for (const [name, value] of Object.entries(read(limitsAnswer, answer, 'limits'))) {
        const { data } = allowance.safeParse(value);
        if (data !== undefined) found.set(name, { max: data.Max, remaining: data.Remaining });
      }
      return found;
    },
    connect: async () => {
      const { organizationId, userId, instanceUrl } = await sessions.current();
      return { organizationId, userId, instanceUrl };
    },
  };
  return { client, sessions };
}

function missingNext(doing: string): never {
  throw new SalesforceUnavailableError(`${doing}: unreadable answer: not done, and no next page`);
}

/**
 * REST calls to one org by the configured OAuth flow.
 * Errors: at once a BadSettingError naming a setting that the flow lacks; from calls those of ../errors.ts.
 */
export function createSalesforceClient(settings: SalesforceSettings, options: SalesforceClientOptions): OrgClient {
  return createClientWithSessions(settings, options).client;
}
