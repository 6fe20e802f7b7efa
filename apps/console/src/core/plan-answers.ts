import { z } from 'zod';

/** What POST /api/mappings/plan takes and gives. */
const epochMs = z.number().int().describe('Milliseconds since the epoch.');
const count = z.number().int().nonnegative();

export const mappingPlanRequest = z
  .strictObject({
    versions: z
      .record(z.string().regex(/^[A-Za-z]\w{0,79}$/, 'not the API name of an object'), z.string().min(1).max(64))
      .refine((versions) => Object.keys(versions).length <= 200, 'at most 200 objects')
      .optional()
      .describe('Version of the mapping of each object, of files that are to be shipped. Default: what is in force.'),
  })
  .describe('What to plan for.');
export type MappingPlanRequest = z.infer<typeof mappingPlanRequest>;

export const planStates = ['done', 'running', 'needed', 'unknown', 'not-in-force', 'removed'] as const;
export type PlanState = (typeof planStates)[number];

export const planCost = z
  .object({
    records: count,
    salesforceCalls: count,
    iterableRequests: count,
    seconds: count.describe('At the ceiling of requests to Iterable.'),
  })
  .describe('At the least; more where rows are large, and where other integrations share the limits.');
export type PlanCost = z.infer<typeof planCost>;

export const plannedObject = z.object({
  object: z.string(),
  state: z
    .enum(planStates)
    .describe(
      'done: backfilled with this version. running: being backfilled with it. needed: not backfilled since. unknown: the log does not go back far enough. not-in-force: the version given is not in force. removed: in force, and not among the versions given.',
    ),
  reason: z.string().describe('Why, in words.'),
  inForce: z.object({ version: z.string(), since: epochMs }).optional(),
  file: z.object({ version: z.string() }).optional().describe('The version given.'),
  lastBackfill: z
    .object({ id: z.string(), startedAt: epochMs })
    .optional()
    .describe('The completed backfill of all records that was started last.'),
  cost: planCost.optional(),
  costUnknown: z.string().optional().describe('Why the org could not be asked for the number of records.'),
});
export type PlannedObject = z.infer<typeof plannedObject>;

export const mappingPlanAnswer = z.object({ objects: z.array(plannedObject).describe('Persons first, then by name.') });
export type MappingPlanAnswer = z.infer<typeof mappingPlanAnswer>;
