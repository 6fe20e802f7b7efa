import type { z } from 'zod';
import {
  backfillAccepted,
  backfillRequest,
  backfillsAnswer,
  continueAccepted,
  continueRequest,
  deadLettersAnswer,
  deadLettersQuery,
  events,
  eventsQuery,
  flowAnswer,
  flowQuery,
  healthAnswer,
  job,
  mappingAnswer,
  mappingListAnswer,
  redriveAccepted,
  redriveRequest,
  reloadRequest,
} from './core/answers.js';
import { accountingAnswer } from './core/accounting-answers.js';
import { mappingPlanAnswer, mappingPlanRequest } from './core/plan-answers.js';
import { checkAnswer, checkRequest, fieldsAnswer, fieldsQuery } from './core/mapping-answers.js';
import { previewAnswer, previewRequest } from './core/preview-answers.js';

/** A route of the console's API, as the docs show it. Each answers 401 without the token. */
export interface ApiRoute {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly status: number;
  readonly answer: z.ZodType;
  /** Server-sent: `answer` is the union of the events' data. */
  readonly events?: Readonly<Record<string, z.ZodType>>;
  readonly mayAnswer: ReadonlyArray<400 | 404 | 503>;
}

/** Every route, by operation. A test asks each of them, and that there is no other. */
export const apiRoutes = {
  health: {
    method: 'get',
    path: '/api/health',
    summary: 'How the sync stands: headline, stages with rate and lag, services.',
    status: 200,
    answer: healthAnswer,
    mayAnswer: [],
  },
  flow: {
    method: 'get',
    path: '/api/flow',
    summary: 'What became of changes: by minute, object, lane and outcome, with latency.',
    query: flowQuery,
    status: 200,
    answer: flowAnswer,
    mayAnswer: [400],
  },
  accounting: {
    method: 'get',
    path: '/api/accounting',
    summary: 'What became of every change, by object and lane, and which changes are unaccounted for.',
    status: 200,
    answer: accountingAnswer,
    mayAnswer: [],
  },
  listBackfills: {
    method: 'get',
    path: '/api/backfills',
    summary: 'The known backfills, newest first.',
    status: 200,
    answer: backfillsAnswer,
    mayAnswer: [],
  },
  startBackfill: {
    method: 'post',
    path: '/api/backfills',
    summary: 'Sends the command to start a backfill. Whether it is accepted shows in its state.',
    body: backfillRequest,
    status: 202,
    answer: backfillAccepted,
    mayAnswer: [400, 503],
  },
  getBackfill: {
    method: 'get',
    path: '/api/backfills/{id}',
    summary: 'One backfill: what was asked for, state, progress.',
    status: 200,
    answer: job,
    mayAnswer: [404],
  },
  listDeadLetters: {
    method: 'get',
    path: '/api/dead-letters',
    summary: 'What could not be processed: counts by code, with the newest references.',
    query: deadLettersQuery,
    status: 200,
    answer: deadLettersAnswer,
    mayAnswer: [400],
  },
  redriveDeadLetters: {
    method: 'post',
    path: '/api/dead-letters/redrive',
    summary: 'Sends the command to fetch and write the records of dead letters again. It is a job as a backfill is.',
    body: redriveRequest,
    status: 202,
    answer: redriveAccepted,
    mayAnswer: [400, 503],
  },
  continueAfterStop: {
    method: 'post',
    path: '/api/dead-letters/continue',
    summary: 'Sends the command to go on where a safety stop holds because too much is dead-lettered.',
    body: continueRequest,
    status: 202,
    answer: continueAccepted,
    mayAnswer: [400, 503],
  },
  mappings: {
    method: 'get',
    path: '/api/mappings',
    summary: 'The mappings in force, what is wrong with their files, and whether profiles were made with them.',
    status: 200,
    answer: mappingListAnswer,
    mayAnswer: [],
  },
  reloadMappings: {
    method: 'post',
    path: '/api/mappings/reload',
    summary: 'Has the mapping files looked at now, and waits up to 10 s for the answer of the mapper.',
    body: reloadRequest,
    status: 200,
    answer: mappingAnswer,
    mayAnswer: [400, 503],
  },
  planMappings: {
    method: 'post',
    path: '/api/mappings/plan',
    summary: 'Which objects need a backfill after a change of their mapping, why, and what it costs. Changes nothing.',
    body: mappingPlanRequest,
    status: 200,
    answer: mappingPlanAnswer,
    mayAnswer: [400],
  },
  checkMappings: {
    method: 'post',
    path: '/api/mappings/check',
    summary: 'Checks mapping files against the org and the Iterable project, before they ship. Changes nothing.',
    body: checkRequest,
    status: 200,
    answer: checkAnswer,
    mayAnswer: [400, 503],
  },
  mappableFields: {
    method: 'get',
    path: '/api/mappings/fields/{object}',
    summary: 'What a mapping of a Salesforce object can read, and what is mapped already.',
    query: fieldsQuery,
    status: 200,
    answer: fieldsAnswer,
    mayAnswer: [400, 404, 503],
  },
  previewMapping: {
    method: 'post',
    path: '/api/mappings/preview',
    summary: 'Shows what records would become in Iterable, and the difference from what it holds now. Writes nothing.',
    body: previewRequest,
    status: 200,
    answer: previewAnswer,
    mayAnswer: [400, 404, 503],
  },
  events: {
    method: 'get',
    path: '/api/events',
    summary: 'Server-sent events: what changes, as it changes.',
    query: eventsQuery,
    status: 200,
    answer: events.overview,
    events,
    mayAnswer: [400],
  },
} as const satisfies Record<string, ApiRoute>;

/** What each operation answers. */
export type ApiAnswers = { readonly [N in keyof typeof apiRoutes]: z.infer<(typeof apiRoutes)[N]['answer']> };
