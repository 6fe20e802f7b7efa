import { z } from 'zod';
import { changeTypes } from './events/change-event.js';

const name = z.string().min(1);
const ids = z.array(z.string().min(1)).min(1).max(2_000);

/** `POST /events`: one event as it is, e.g. a gap or an overflow. */
export const eventRequest = z.strictObject({
  entity: name,
  changeType: z.enum(changeTypes),
  recordIds: ids,
  commitTimestamp: z.number().int().min(0).optional(),
  changedFields: z.array(name).optional(),
  changeOrigin: z.string().optional(),
  commitUser: z.string().optional(),
});
/** On whose behalf: see {@link By}. */
const by = { userId: z.string().min(1).optional(), client: z.string().min(1).optional() };
const fieldValues = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
export const writeRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('create'), object: name, records: z.array(fieldValues).min(1).max(10_000), ...by }),
  z.strictObject({
    kind: z.literal('update'),
    object: name,
    records: z
      .array(fieldValues.and(z.object({ Id: z.string() })))
      .min(1)
      .max(10_000),
    ...by,
  }),
  z.strictObject({
    kind: z.literal('delete'),
    object: name,
    ids: z.array(z.string()).min(1).max(10_000),
    ...by,
  }),
]);
export const conversionRequest = z.strictObject({
  leadId: z.string(),
  accountId: z.string().optional(),
  contactId: z.string().optional(),
  createOpportunity: z.boolean().optional(),
  ...by,
});
export const mergeRequest = z.strictObject({
  object: name,
  winner: z.string(),
  losers: z.array(z.string()).min(1).max(2),
  values: fieldValues.default({}),
  ...by,
});
export const massRequest = z.strictObject({
  object: name,
  kind: z.enum(['create', 'update', 'delete', 'undelete']),
  count: z.number().int().min(1).max(1_000_000),
  set: fieldValues.default({}),
  distinct: name.optional(),
  ...by,
});
export const stormRequest = z.strictObject({
  object: name.default('Lead'),
  events: z.number().int().min(1).max(2_000_000),
  records: z.number().int().min(1).optional(),
  eventBytes: z.number().int().min(500).max(30_000).optional(),
  /** Answer at once; `GET /stats` shows how the log grows. For storms that last longer than a client waits. */
  background: z.boolean().default(false),
  ...by,
});
export const channelRequest = z.strictObject({ name, entities: z.array(name).min(1) });
export const limitsRequest = z
  .strictObject({
    deliveredEventsPerDay: z.number().int().min(0).nullable(),
    apiRequestsPerDay: z.number().int().min(1),
  })
  .partial();
export const recordsRequest = z.strictObject({ object: name, ids });
export const fieldRequest = z.strictObject({ object: name, field: name, visible: z.boolean() });
export const keyRequest = z.strictObject({ publicKey: z.string().includes('-----BEGIN', 'must be a PEM') });
export const trafficRequest = z.strictObject({ perSecond: z.number().min(0).max(200) });
