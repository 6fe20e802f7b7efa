import {
  backfillProgress,
  backfillStart,
  changeOffset,
  command,
  deadLettersContinue,
  deadLettersRedrive,
  holeReasons,
  lane,
  outcome,
  outcomeKind,
  recordId,
  recordType,
  stage,
  status,
} from '@libs/contracts';
import { z } from 'zod';
import { accountingAnswer } from './accounting-answers.js';
import { plannedObject } from './plan-answers.js';

/**
 * What the console API takes and gives: the API answers with these types, the CLI reads answers with these schemas, and
 * docs/reference/openapi.yaml is generated from them.
 */
const epochMs = z.number().int().describe('Milliseconds since the epoch.');
const count = z.number().int().nonnegative();

export const levels = ['ok', 'busy', 'attention', 'unknown'] as const;
export const headline = z.object({
  level: z
    .enum(levels)
    .describe('ok: in sync. busy: catching up. attention: someone should look. unknown: not known yet.'),
  text: z.string().describe('One sentence for a person.'),
});
export type Headline = z.infer<typeof headline>;

export const serviceHealth = z.object({
  name: z.string(),
  state: z
    .enum(['ready', 'not-ready', 'unreachable', 'unwatched'])
    .describe('unwatched: the console was not told where to ask (CONSOLE_SERVICES).'),
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      warning: z.literal(true).optional().describe('The service works, but someone should look.'),
      detail: z.string().optional(),
    }),
  ),
});
export type ServiceHealth = z.infer<typeof serviceHealth>;

export const stageView = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(levels),
  detail: z.string().optional().describe('What is wrong, for a person.'),
  ratePerSecond: z.number().nullable().describe('Over the last minute; null where it is not known.'),
  rateUnit: z.string(),
  waiting: count.nullable().describe('Not yet committed by this stage; null where there is nothing to wait for.'),
  waitingUnit: z.string(),
});
export type StageView = z.infer<typeof stageView>;

const versions = z.record(z.string(), z.string()).describe('Version of the mapping of each object in force.');
const mistakes = z.array(z.string()).describe('One line a mistake: file:line:column: what is wrong.');
const mappingInForce = z.object({ object: z.string(), version: z.string(), since: epochMs });
export const mappingsAnswer = z.object({
  inForce: z.array(mappingInForce).describe('By the last word of the mapper; empty while it has said nothing.'),
  refused: z
    .object({ mistakes, since: epochMs })
    .nullable()
    .describe('What is wrong with the mapping files as they are now; null: they are in force.'),
});
export type MappingsAnswer = z.infer<typeof mappingsAnswer>;
export const mappingListAnswer = mappingsAnswer.extend({
  inForce: z
    .array(
      mappingInForce.extend({
        file: z
          .string()
          .optional()
          .describe('Where the console finds this version; absent: its files have another one.'),
        fields: count.optional().describe('How many fields of the profile it fills, identifiers included.'),
        backfill: plannedObject.pick({ state: true, reason: true }).optional(),
      }),
    )
    .describe('By the last word of the mapper; empty while it has said nothing.'),
});
export type MappingListAnswer = z.infer<typeof mappingListAnswer>;
export const mappingAnswer = z.object({
  id: z.string(),
  state: z
    .enum(['sent', 'accepted', 'completed', 'rejected'])
    .describe(
      'completed: the files are in force. accepted: they cannot be checked yet. sent: nobody has answered yet.',
    ),
  versions: versions.optional(),
  changed: z.array(z.string()).optional().describe('Objects whose mapping changed.'),
  mistakes: mistakes.optional(),
  reason: z.string().optional(),
});
export type MappingAnswer = z.infer<typeof mappingAnswer>;
export const reloadRequest = z.strictObject({
  id: command.shape.id
    .optional()
    .describe('Id of the command; the same id twice does its work once. Default: a new UUID.'),
});
export type ReloadRequest = z.infer<typeof reloadRequest>;

export const healthAnswer = z.object({
  time: epochMs,
  headline,
  log: z.object({ reachable: z.boolean(), detail: z.string().optional() }),
  waiting: z.object({
    changes: count.describe('Changes in the log without an outcome.'),
    oldestMs: count.nullable().describe('How long the oldest of them has waited. Milliseconds.'),
  }),
  stages: z.array(stageView).describe("A change's way, from Salesforce to Iterable."),
  services: z.array(serviceHealth),
  mappings: mappingsAnswer,
  accounting: accountingAnswer
    .pick({ time: true, since: true, gap: true, confirmed: true })
    .describe('Is every change accounted for? GET /api/accounting says more.'),
});
export type HealthAnswer = z.infer<typeof healthAnswer>;

const countByOutcome = z.partialRecord(outcomeKind, count);

export const objectFlow = z.object({
  object: z.string(),
  lastMinute: countByOutcome,
  total: countByOutcome.describe('In the span asked for.'),
  newestSynced: epochMs.nullable().describe('When Salesforce committed the newest real-time change that was written.'),
  latency: z
    .object({ p50Ms: z.number(), p99Ms: z.number() })
    .nullable()
    .describe("From Salesforce's commit to Iterable's answer, real-time lane, in the span asked for."),
});
export type ObjectFlow = z.infer<typeof objectFlow>;

export const flowAnswer = z.object({
  time: epochMs,
  since: epochMs.describe(
    'Counts are complete from here on: the start of the span, or later when older outcomes were not read.',
  ),
  minutes: z.array(
    z.object({
      time: epochMs.describe('Start of the minute.'),
      counts: z.array(z.object({ object: z.string(), lane, outcome: outcomeKind, count })),
    }),
  ),
  objects: z.array(objectFlow),
  reasons: z
    .array(
      z.object({ object: z.string(), outcome: outcomeKind, reason: z.string(), meaning: z.string().optional(), count }),
    )
    .describe('Why changes were not written, most frequent first.'),
});
export type FlowAnswer = z.infer<typeof flowAnswer>;

export const jobStates = ['sent', 'accepted', 'running', 'completed', 'failed', 'rejected'] as const;
export const finalStates: ReadonlySet<string> = new Set(['completed', 'failed', 'rejected']);
export const job = z.object({
  id: z.string(),
  state: z.enum(jobStates).describe('sent: not answered yet.'),
  object: z.string().optional(),
  where: z.string().optional(),
  since: z.string().optional().describe('Only rows changed at or after this. ISO 8601.'),
  catchUp: z.enum(holeReasons).optional().describe('Why the listener opened it: changes may have been missed.'),
  fanOut: z
    .object({ from: z.string(), records: count })
    .optional()
    .describe('These records changed; the job reads the records that show them.'),
  idCount: count.optional().describe('How many ids were listed.'),
  redrive: z
    .object({
      codes: z.array(z.string()).optional(),
      objects: z.array(z.string()).optional(),
      idCount: count.optional().describe('How many record ids were listed.'),
      from: z.string().optional().describe('ISO 8601.'),
      to: z.string().optional().describe('ISO 8601.'),
    })
    .optional()
    .describe('The job sends the records of these dead letters again.'),
  by: z.string().optional().describe('Who sent the command.'),
  requestedAt: epochMs.optional(),
  updatedAt: epochMs,
  reason: z.string().optional().describe('Why it was rejected or failed.'),
  summary: z.string().optional().describe('How it ended, in one sentence.'),
  progress: backfillProgress.partial().optional(),
  ratePerSecond: z.number().nullable().describe('Records finished a second since the start.'),
  etaMs: count.nullable().describe('Expected time to the end. Milliseconds.'),
});
export type Job = z.infer<typeof job>;
export const backfillsAnswer = z.object({ backfills: z.array(job).describe('Newest first.') });

const commandId = command.shape.id
  .optional()
  .describe('Id of the command; the same id twice does its work once. Default: a new UUID.');
/** Tells a request the problems that its command would have. */
const problemsOf = (schema: z.ZodType, data: unknown, context: z.core.$RefinementCtx) => {
  for (const { message, path } of schema.safeParse(data).error?.issues ?? [])
    context.addIssue({ code: 'custom', message, path: [...path] });
};

const { hole: _catchUpsAreOpenedByTheListener, fanOut: _andFanOutsByTheMapper, ...askable } = backfillStart.shape;
export const backfillRequest = z
  .strictObject({ ...askable, id: commandId })
  .superRefine(({ id: _ours, ...data }, context) => problemsOf(backfillStart, data, context))
  .describe('What to backfill: one object with an optional SOQL condition, or a list of record ids.');
export type BackfillRequest = z.infer<typeof backfillRequest>;
export const backfillAccepted = z.object({
  id: z.string().describe('Ask GET /api/backfills/{id} what becomes of it.'),
});

export const deadReference = z.object({
  recordType: z.string().optional(),
  recordId: z.string().optional(),
  stage,
  lane: lane.optional(),
  message: z.string(),
  attempts: count,
  offsets: z.array(changeOffset).describe('The changes that it stands for, in salesforce.changes.v1.'),
  jobIds: z.array(z.string()).describe('The backfills and redrives among them.'),
  origin: z.string().optional().describe('topic/partition/offset of a message that could not be read.'),
  firstTime: epochMs.describe('Of the first attempt. Milliseconds since the epoch.'),
  time: epochMs.describe('Of the last attempt. Milliseconds since the epoch.'),
});
export type DeadReference = z.infer<typeof deadReference>;
const records = count.describe('Distinct records of the letters that were read: what a redrive sends.');
export const deadGroup = z.object({
  code: z.string(),
  meaning: z.string().optional().describe('The code in plain language.'),
  remedy: z.string().optional().describe('What to do.'),
  count,
  records,
  firstTime: epochMs,
  lastTime: epochMs,
  newest: z.array(deadReference).describe('Newest first.'),
});
export type DeadGroup = z.infer<typeof deadGroup>;
export const deadLettersAnswer = z.object({
  total: count,
  records,
  complete: z.boolean().describe('false: only the newest dead letters of the topic are known.'),
  groups: z.array(deadGroup).describe('Latest first.'),
});
export type DeadLettersAnswer = z.infer<typeof deadLettersAnswer>;

/** Several values in one parameter, separated by commas. */
const listOf = (one: z.ZodString, most: number) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(one).min(1).max(most))
    .optional();
export const deadLettersQuery = z.object({
  code: listOf(z.string().min(1).max(100), 100).describe('Only with one of these codes, comma separated.'),
  object: listOf(recordType, 100).describe('Only of these objects, comma separated.'),
  id: listOf(recordId, 400).describe('Only of these records, comma separated: ids of 18 characters, at most 400.'),
  from: deadLettersRedrive.shape.from.describe('Only letters written at or after this. ISO 8601 with a zone.'),
  to: deadLettersRedrive.shape.to.describe('Only letters written before this. ISO 8601 with a zone.'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(20)
    .describe('How many references to give of each code, 1 to 1000.'),
});
export type DeadLettersQuery = z.infer<typeof deadLettersQuery>;

export const redriveRequest = z
  .strictObject({ ...deadLettersRedrive.shape, id: commandId })
  .superRefine(({ id: _ours, ...data }, context) => problemsOf(deadLettersRedrive, data, context))
  .describe('Which dead letters to send again: those that fulfil all of what is given; at least one of it.');
export type RedriveRequest = z.infer<typeof redriveRequest>;
export const redriveAccepted = z.object({
  id: z.string().describe('Ask GET /api/backfills/{id} what becomes of it.'),
  matching: z
    .object({ letters: count, records: count, complete: z.boolean() })
    .describe('What the console knows to match, as in GET /api/dead-letters; the progress tells the exact number.'),
});
export const continueRequest = z
  .strictObject({ ...deadLettersContinue.shape, id: commandId })
  .describe('For how many minutes a safety stop is off.');
export type ContinueRequest = z.input<typeof continueRequest>;
export const continueAccepted = z.object({ id: z.string(), minutes: z.number().int() });

export const errorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), problems: z.array(z.string()).optional() }),
});
export type ErrorAnswer = z.infer<typeof errorAnswer>;

export const eventTypes = ['overview', 'status', 'outcomes', 'ping'] as const;
export type EventType = (typeof eventTypes)[number];
/** Data of the server-sent events, by their name. */
export const events = {
  overview: z.object({ health: healthAnswer, backfills: z.array(job) }),
  status,
  outcomes: z.object({ items: z.array(outcome), omitted: count.describe('Left out because there were too many.') }),
  ping: z.object({ time: epochMs }),
} as const satisfies Record<EventType, z.ZodType>;
export type EventData = { readonly [T in EventType]: z.infer<(typeof events)[T]> };

export const flowQuery = z.object({
  minutes: z.coerce.number().int().min(1).max(120).default(60).describe('How many minutes back, 1 to 120.'),
});
export const eventsQuery = z.object({
  types: z
    .string()
    .default('overview')
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.enum(['overview', 'status', 'outcomes'])).min(1))
    .describe('Which events, comma separated: overview, status, outcomes.'),
});
