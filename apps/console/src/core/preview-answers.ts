import { optOut, projectTypes } from '@libs/contracts';
import { z } from 'zod';
import { mappingFiles } from './mapping-answers.js';

/** Most records in one preview. */
export const MAX_SAMPLE = 50;
export const previewRequest = z
  .strictObject({
    files: mappingFiles.optional(),
    id: z.string().min(1).max(18).optional().describe('A record, by its id of 15 or 18 characters.'),
    email: z.string().min(1).max(320).optional().describe('Every mapped record with this address.'),
    object: z.string().min(1).max(80).optional().describe('With `sample`: the object.'),
    sample: z.number().int().min(1).max(MAX_SAMPLE).optional().describe('So many records, the latest changed first.'),
  })
  .superRefine(({ id, email, object, sample }, context) => {
    const problem = (message: string) => context.addIssue({ code: 'custom', message, path: [] });
    if ([id, email, sample].filter((given) => given !== undefined).length !== 1) {
      problem('give one of id, email and sample');
    }
    if ((object === undefined) !== (sample === undefined)) problem('object and sample go together');
  })
  .describe('Which records to show: one id, one address, or a sample of an object.');
export type PreviewRequest = z.infer<typeof previewRequest>;

export const fates = ['written', 'outranked', 'filtered', 'skipped', 'failed', 'deleted', 'converted'] as const;
export type Fate = (typeof fates)[number];

const fields = z.record(z.string(), z.unknown());

export const fieldDifference = z.object({
  path: z.string().describe('As in a mapping file, e.g. dataFields.Name.First.'),
  kind: z
    .enum(['added', 'changed', 'cleared', 'lost'])
    .describe('lost: the body does not name it; it goes with the object that is replaced.'),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});

export const claimant = z.object({
  object: z.string(),
  recordId: z.string(),
  hasAddress: z.boolean().describe('Is it the one that has the address?'),
});
export type Claimant = z.infer<typeof claimant>;

/** One record on its way into Iterable, without a write. */
export const recordPreview = z.object({
  object: z.string(),
  recordId: z.string().nullable().describe('18 characters; null: a saved row that has none.'),
  mapping: z.object({ file: z.string(), version: z.string() }),
  soql: z.string().nullable().describe('What the mapper would ask; null: a saved row.'),
  record: fields.describe('As queried.'),
  fate: z.enum(fates).describe('What would become of it.'),
  reason: z.string().optional().describe('Code of it, as in outcomes.'),
  text: z.string().describe('The same in words.'),
  body: fields.nullable().describe('The user of users/bulkUpdate, as it would be sent; null: none would be.'),
  mergeNestedObjects: z.boolean().nullable().describe('Sent beside the body: objects inside the profile are merged.'),
  profile: z
    .enum(['found', 'none', 'not-asked'])
    .describe('Has Iterable a profile there? not-asked: there is nothing to compare, or no project to ask.'),
  difference: z.array(fieldDifference).nullable().describe('What the write would change; null where nobody was asked.'),
  claimants: z.array(claimant).describe('Every record that claims the address, the one that has it first.'),
  optOut: optOut.nullable().describe('What the person says no to: it would be unsubscribed from.'),
  shortened: z.array(z.string()).describe('Targets whose text is cut to what Iterable keeps.'),
});
export type RecordPreview = z.infer<typeof recordPreview>;

export const previewAnswer = z.object({
  projectType: z.enum(projectTypes),
  records: z.array(recordPreview),
  notes: z.array(z.string()).describe('What was not looked at, and why.'),
});
export type PreviewAnswer = z.infer<typeof previewAnswer>;
