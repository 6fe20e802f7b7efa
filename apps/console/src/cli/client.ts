import { z } from 'zod';
import type { ApiAnswers, ApiRoute } from '../api.routes.js';
import { apiRoutes } from '../api.routes.js';
import {
  errorAnswer,
  type BackfillRequest,
  type ContinueRequest,
  type DeadLettersQuery,
  type EventData,
  type EventType,
  events,
  type RedriveRequest,
  type ReloadRequest,
} from '../core/answers.js';
import type { MappingPlanRequest } from '../core/plan-answers.js';
import type { CheckRequest } from '../core/mapping-answers.js';
import type { PreviewRequest } from '../core/preview-answers.js';
import { CliError, exitCodes } from './exit-codes.js';

/** Longest wait for an answer. Milliseconds. */
const ANSWER_MS = 15_000;
/** The same where the console has to ask the org first. Milliseconds. */
const ORG_ANSWER_MS = 150_000;

/** The console's API as the CLI uses it. Errors: {@link CliError}, with what to do. */
export interface ConsoleClient {
  health(): Promise<ApiAnswers['health']>;
  flow(minutes: number): Promise<ApiAnswers['flow']>;
  deadLetters(query?: Partial<DeadLettersQuery>): Promise<ApiAnswers['listDeadLetters']>;
  redriveDeadLetters(request: RedriveRequest): Promise<ApiAnswers['redriveDeadLetters']>;
  continueAfterStop(request: ContinueRequest): Promise<ApiAnswers['continueAfterStop']>;
  accounting(): Promise<ApiAnswers['accounting']>;
  backfills(): Promise<ApiAnswers['listBackfills']>;
  /** `null`: the console does not know it (yet). */
  backfill(id: string): Promise<ApiAnswers['getBackfill'] | null>;
  startBackfill(request: BackfillRequest): Promise<ApiAnswers['startBackfill']>;
  previewMapping(request: PreviewRequest): Promise<ApiAnswers['previewMapping']>;
  /** Waits for the answer of the mapper. */
  reloadMappings(request: ReloadRequest): Promise<ApiAnswers['reloadMappings']>;
  /** Which objects need a backfill. */
  planMappings(request: MappingPlanRequest): Promise<ApiAnswers['planMappings']>;
  checkMappings(request: CheckRequest): Promise<ApiAnswers['checkMappings']>;
  mappableFields(object: string, depth: number): Promise<ApiAnswers['mappableFields']>;
  /** Ends when the stream ends or `signal` aborts. */
  events(types: readonly EventType[], signal: AbortSignal): AsyncGenerator<ConsoleEvent>;
}

/** One server-sent event. */
export type ConsoleEvent = { readonly [T in EventType]: { readonly type: T; readonly data: EventData[T] } }[EventType];

/** Reads the answer of an error; an answer of something else than a console is told as such. */
async function toCliError(response: Response, url: string): Promise<CliError> {
  const parsed = errorAnswer.safeParse(await response.json().catch(() => null));
  if (!parsed.success) {
    return new CliError(
      `${url} is not a console (it answered ${response.status}): correct SYNC_URL.`,
      exitCodes.unreachable,
    );
  }
  const { code, message } = parsed.data.error;
  if (response.status === 401) {
    return new CliError(
      'The console refuses the token: set CONSOLE_TOKEN, or DATA_DIR to where its file console-token is.',
      exitCodes.usage,
    );
  }
  if (response.status === 503) {
    const what = code.startsWith('event-log.') ? 'cannot reach the log' : 'cannot answer now';
    return new CliError(`The console ${what}: ${message}`, exitCodes.unreachable);
  }
  // An answer about something (not there, mistakes in files, our bug), or a request that is none
  const failed = response.status >= 500 || response.status === 404 || code === 'console.mapping_files_refused';
  return new CliError(message, failed ? exitCodes.failed : exitCodes.usage);
}

function unreachable(url: string, cause: unknown): CliError {
  const { cause: inner } = cause as { cause?: { code?: string } };
  const why = inner?.code ?? (cause instanceof Error ? cause.message : String(cause));
  return new CliError(
    `The console at ${url} does not answer (${why}): start it (npm start), or set SYNC_URL to where it runs.`,
    exitCodes.unreachable,
    { cause },
  );
}

async function readJson<T>(response: Response, schema: z.ZodType<T>, url: string): Promise<T> {
  const parsed = schema.safeParse(await response.json().catch(() => null));
  if (parsed.success) return parsed.data;
  throw new CliError(
    `${url} answers in another form than this CLI knows: use the CLI of the console's version.`,
    exitCodes.failed,
  );
}

/** Splits a text stream into server-sent events. */
async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ConsoleEvent> {
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, type = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (type in events) yield { type, data: events[type as EventType].parse(JSON.parse(data)) } as ConsoleEvent;
    }
  }
}

/** Connects to a console. `url`: its origin, without a path. */
export function createClient(url: string, token: string): ConsoleClient {
  const origin = url.replace(/\/+$/, '');

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const signal = init.signal ?? AbortSignal.timeout(ANSWER_MS);
    const response = await fetch(`${origin}${path}`, { ...init, headers, signal }).catch((error: unknown) => {
      throw unreachable(origin, error);
    });
    return response;
  }

  async function get<R extends ApiRoute>(route: R, path: string, waitMs = ANSWER_MS): Promise<z.infer<R['answer']>> {
    const response = await ask(path, { signal: AbortSignal.timeout(waitMs) });
    if (!response.ok) throw await toCliError(response, origin);
    return readJson(response, route.answer as z.ZodType<z.infer<R['answer']>>, origin);
  }

  async function post<R extends ApiRoute>(
    route: R,
    request: unknown,
    waitMs = ANSWER_MS,
  ): Promise<z.infer<R['answer']>> {
    const init = { method: 'POST', body: JSON.stringify(request), signal: AbortSignal.timeout(waitMs) };
    const response = await ask(route.path, init);
    if (!response.ok) throw await toCliError(response, origin);
    return readJson(response, route.answer as z.ZodType<z.infer<R['answer']>>, origin);
  }

  return {
    health: () => get(apiRoutes.health, '/api/health'),
    flow: (minutes) => get(apiRoutes.flow, `/api/flow?minutes=${minutes}`),
    deadLetters(query = {}) {
      const given = Object.entries(query).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] as const],
      );
      const search = new URLSearchParams(Object.fromEntries(given)).toString();
      return get(apiRoutes.listDeadLetters, `/api/dead-letters${search === '' ? '' : `?${search}`}`);
    },
    redriveDeadLetters: (request) => post(apiRoutes.redriveDeadLetters, request),
    continueAfterStop: (request) => post(apiRoutes.continueAfterStop, request),
    accounting: () => get(apiRoutes.accounting, '/api/accounting'),
    backfills: () => get(apiRoutes.listBackfills, '/api/backfills'),
    async backfill(id) {
      const response = await ask(`/api/backfills/${encodeURIComponent(id)}`);
      if (response.status === 404) return null;
      if (!response.ok) throw await toCliError(response, origin);
      return readJson(response, apiRoutes.getBackfill.answer, origin);
    },
    startBackfill: (request) => post(apiRoutes.startBackfill, request),
    reloadMappings: (request) => post(apiRoutes.reloadMappings, request),
    planMappings: (request) => post(apiRoutes.planMappings, request, ORG_ANSWER_MS),
    checkMappings: (request) => post(apiRoutes.checkMappings, request, ORG_ANSWER_MS),
    mappableFields: (object, depth) =>
      get(apiRoutes.mappableFields, `/api/mappings/fields/${encodeURIComponent(object)}?depth=${depth}`, ORG_ANSWER_MS),
    previewMapping: (request) => post(apiRoutes.previewMapping, request, ORG_ANSWER_MS),
    async *events(types, signal) {
      const response = await ask(`/api/events?types=${types.join(',')}`, { signal });
      if (!response.ok || response.body === null) throw await toCliError(response, origin);
      yield* readEvents(response.body);
    },
  };
}
