import { z } from 'zod';
import { coercions, extraDateFormats, type ExtraDateFormat } from './project/field-types.js';

export const projectTypes = ['email', 'user-id', 'hybrid'] as const;
export type ProjectType = (typeof projectTypes)[number];

const delay = z.number().int().min(0).max(86_400_000);
const dateFormats = Object.keys(extraDateFormats) as [ExtraDateFormat, ...ExtraDateFormat[]];

/**
 * Everything about Iterable that is not documented, as a switch, with the default that is likeliest or that catches most
 * mistakes of a client. `POST /iterable/switches` changes them at run time. Source: facts/iterable.md §10.
 */
export const iterableSwitches = z.strictObject({
  mismatchMode: z
    .enum(['whole-request', 'per-user'])
    .default('whole-request')
    .describe('A value of a wrong type refuses the whole request with 400, or that user in a 200.'),
  mismatchNames: z
    .enum(['all', 'first'])
    .default('all')
    .describe('That 400 names every field whose type is wrong, or only the first.'),
  expectedTypeForm: z
    .enum(['text', 'list'])
    .default('text')
    .describe("Its expectedType: the type's name, or a list of the types that the field takes."),
  numberInference: z
    .enum(['by-text', 'by-value'])
    .default('by-text')
    .describe('1000.0 in a body is a double, or a long, as its value is whole: then only a fraction makes a double.'),
  coercion: z
    .enum(coercions)
    .default('widen')
    .describe('widen: a long for a double; numeric: also a double for a long and "5"; lenient: also scalars as text.'),
  extraDateFormats: z
    .array(z.enum(dateFormats))
    .default([])
    .describe('Date forms taken beyond the ones known to work.'),
  createNewFields: z
    .boolean()
    .default(true)
    .describe("The project's own setting: are unknown fields created, or dropped, where a request does not say?"),
  nestedFields: z
    .boolean()
    .default(false)
    .describe('Nested fields are enabled: an array of objects is of type nested.'),
  nestedMerge: z
    .enum(['one-level', 'deep'])
    .default('one-level')
    .describe('How deep mergeNestedObjects reaches. One level is documented.'),
  bothIdentifiers: z
    .enum(['user-id-wins', 'email-wins', 'conflict'])
    .default('user-id-wins')
    .describe('Hybrid project, email and userId sent together but belonging to two profiles or to another pair.'),
  duplicateUsers: z
    .enum(['last-wins', 'reordered'])
    .default('last-wins')
    .describe('One user twice in a request: applied in order, or the other way round.'),
  failureListCase: z
    .enum(['lower-case', 'as-sent'])
    .default('lower-case')
    .describe('How failure lists spell an email.'),
  noOpLists: z
    .enum(['absent', 'empty', 'filled'])
    .default('empty')
    .describe('noOpEmails and noOpUserIds: left out, always empty, or naming the users whose profile did not change.'),
  updateOnly: z.boolean().default(false).describe('The undocumented updateOnly of a bulk request is honoured.'),
  optInMessageTypes: z
    .boolean()
    .default(false)
    .describe('Opt-in message types are enabled: subscribedMessageTypeIds may be set, and bulk may not unsubscribe.'),
  unknownUser: z
    .enum(['in-words', 'own-code'])
    .default('in-words')
    .describe(
      'A call about one user that does not exist: BadParams that says so in words, as recorded, or a code of its own.',
    ),
  unknownUserRead: z
    .enum(['empty', '400', '404'])
    .default('empty')
    .describe(
      'GET of a user id that does not exist: 200 {}, as recorded of emails, or error.users.noUserWithIdExists.',
    ),
  updateEmailLooksAt: z
    .enum(['source', 'destination'])
    .default('source')
    .describe('users/updateEmail of an unknown user to an existing address, as a repeat is: which of the two is told.'),
  groupSubscriptions: z
    .enum(['not-found', 'forbidden', 'enabled'])
    .default('not-found')
    .describe(
      'PUT subscriptions/{group}/{id}: answers 404 or 403, as it may where Iterable has not enabled it, or works.',
    ),
  groupSubscriptionsAccepted: z.boolean().default(false).describe('That call answers 202 instead of 200.'),
  unknownSubscribers: z
    .enum(['ignored', 'refused'])
    .default('ignored')
    .describe('A user there that does not exist: passed over without a word, or the whole request is refused.'),
  unknownSubscription: z
    .enum(['400', '404'])
    .default('400')
    .describe('The answer there to the id of a channel or message type that does not exist.'),
  mergedSubscriptions: z
    .enum(['united', 'destination'])
    .default('united')
    .describe(
      'users/merge: the profile is in all lists that either of the two was in, or in those of the destination.',
    ),
  maxUsersPerRequest: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('A bulk request of more users is refused with BatchTooLarge; null: no cap but the size.'),
  bodyLimitBytes: z
    .number()
    .int()
    .min(1_000)
    .max(16_777_216)
    .default(4_000_000)
    .describe('The 4 MB of a request body: 4,000,000 or 4,194,304 bytes.'),
  oversizedBody: z
    .enum(['413-html', '413-json', '400-batch-too-large'])
    .default('413-html')
    .describe('The answer to a body over the limit.'),
  bulkBucketCapacity: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(5)
    .describe('Requests that the bucket of users/bulkUpdate holds when full.'),
  throttledRequestsConsume: z.boolean().default(false).describe('A request answered 429 uses up a token as well.'),
  failedRequestsConsume: z.boolean().default(true).describe('A request answered 4xx uses up a token as well.'),
  rateLimitHints: z.boolean().default(true).describe('A 429 tells limit, remaining and reset in params.'),
  retryAfterHeader: z.boolean().default(false).describe('A 429 carries a Retry-After header.'),
  numbersAsStrings: z.boolean().default(false).describe("A 429's params hold numbers as text."),
  visibilityDelayBulkMs: delay
    .default(0)
    .describe('A bulk write is readable after this long, by the clock of the sandbox. Milliseconds.'),
  visibilityDelaySingleMs: delay
    .default(0)
    .describe('The same for calls about a single user: another pipeline, so the two can overtake each other.'),
  visibilityDelayForgetMs: delay
    .default(0)
    .describe('The same for users/forget and users/unforget, a third one: ten minutes are documented.'),
});
export type IterableSwitches = z.infer<typeof iterableSwitches>;

type SwitchShape = (typeof iterableSwitches)['shape'];

/** Changes of some switches: no default comes in for a switch that is not named. */
export const iterableSwitchChanges = z.strictObject(
  Object.fromEntries(
    Object.entries(iterableSwitches.shape).map(([name, schema]) => [name, schema.unwrap().exactOptional()]),
  ) as unknown as { [K in keyof SwitchShape]: z.ZodExactOptional<ReturnType<SwitchShape[K]['unwrap']>> },
);
