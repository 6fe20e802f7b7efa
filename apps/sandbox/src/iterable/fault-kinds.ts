import { z } from 'zod';
import { fieldTypes } from './project/field-types.js';

const delayMs = z.number().int().min(0).max(600_000);
const share = z.number().min(0).max(1);

/** A list of `failedUpdates`, or a name that no client can know yet. */
const listName = z.string().regex(/^[a-z][A-Za-z]*(?:Emails|UserIds)$/, 'must end in Emails or UserIds');

/** What a fault does, and the options it takes. */
export interface FaultKind {
  does: string;
  options: z.ZodObject;
}

/** Every fault of the Iterable side. One table: the admin port validates against it and documents from it. */
export const iterableFaultKinds = {
  'http-500': { does: 'Answers 500 GenericError; nothing is applied.', options: z.strictObject({}) },
  'http-502-html': { does: 'Answers 502 with an HTML page; nothing is applied.', options: z.strictObject({}) },
  'http-503-html': { does: 'Answers 503 with an HTML page; nothing is applied.', options: z.strictObject({}) },
  latency: {
    does: 'Waits delayMs before the request is worked on, or, with applied, between the work and the answer.',
    options: z.strictObject({ delayMs: delayMs.default(5_000), applied: z.boolean().default(false) }),
  },
  hang: {
    does: 'Never answers; the connection stays open. With applied the work is done all the same.',
    options: z.strictObject({ applied: z.boolean().default(false) }),
  },
  disconnect: { does: 'Closes the connection without an answer; nothing is applied.', options: z.strictObject({}) },
  'reset-after-apply': {
    does: 'Applies the write, then closes the connection without an answer: the client cannot know.',
    options: z.strictObject({}),
  },
  'rate-limit-storm': {
    does: 'Answers 429 whatever the bucket says, with or without the hints in params; takes nothing from the bucket. A 429 without this fault in the log is one of the bucket.',
    options: z.strictObject({ hints: z.boolean().default(true), resetSeconds: z.number().int().min(0).default(1) }),
  },
  'partial-failures': {
    does: 'A bulk request answers 200, but a share of its users is refused under one list. The same users always, unless sticky is off. every: spread over all documented lists. A name that is not documented stands for a list of the future.',
    options: z.strictObject({
      list: z.union([z.literal('every'), listName]).default('invalidDataEmails'),
      share: share.default(0.1),
      sticky: z.boolean().default(true),
    }),
  },
  'type-mismatch': {
    does: 'A bulk request is refused as a whole with RequestFieldsTypesMismatched on one field; with a share below 1 only when it holds one of that share of users, always the same ones, whatever other fault there is.',
    options: z.strictObject({
      field: z.string().min(1).default('sandboxField'),
      expectedType: z.enum(fieldTypes).default('date'),
      share: share.default(1),
    }),
  },
  'batch-too-large': {
    does: 'A bulk request of more than maxUsers is refused with BatchTooLarge.',
    options: z.strictObject({ maxUsers: z.number().int().min(0).default(100) }),
  },
  'code-success-on-4xx': {
    does: 'Answers a 4xx whose code says Success; nothing is applied.',
    options: z.strictObject({ status: z.number().int().min(400).max(499).default(400) }),
  },
  'unknown-fields': {
    does: 'A 200 carries members that are documented nowhere, at the top and in failedUpdates.',
    options: z.strictObject({}),
  },
  'missing-lists': {
    does: 'A bulk 200 leaves out its optional members when they are empty, or, with all, always: only the counts remain.',
    options: z.strictObject({ all: z.boolean().default(false) }),
  },
  'bad-key': {
    does: 'Answers 401 BadApiKey, as for a key that was disabled.',
    options: z.strictObject({}),
  },
} as const satisfies Record<string, FaultKind>;
export type IterableFaultKind = keyof typeof iterableFaultKinds;
export type FaultOptions<K extends IterableFaultKind> = z.infer<(typeof iterableFaultKinds)[K]['options']>;
