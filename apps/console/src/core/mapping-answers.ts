import { mappingFileExtensions } from '@libs/mapping';
import { z } from 'zod';

/** Most files that a request may bring. */
const MAX_FILES = 100;
const FILE_NAME = new RegExp(`^[^/\\\\]{1,200}(?:${mappingFileExtensions.map((end) => `\\${end}`).join('|')})$`);

/** Mapping files that come with a request, so that an edit is looked at before it ships. */
export const mappingFiles = z
  .array(
    z.strictObject({
      name: z.string().regex(FILE_NAME, `must be a file name that ends in ${mappingFileExtensions.join(', ')}`),
      text: z.string(),
    }),
  )
  .min(1)
  .max(MAX_FILES)
  .describe('Mapping files to go by. Default: those in MAPPINGS_DIR of the console.');

export const checkRequest = z.strictObject({ files: mappingFiles.optional() });
export type CheckRequest = z.infer<typeof checkRequest>;

export const finding = z.object({
  file: z.string(),
  line: z.number().int().positive(),
  column: z.number().int().positive(),
  code: z.string().describe('docs/reference/error-codes.md explains each.'),
  message: z.string(),
  suggestion: z.string().optional().describe('What was probably meant.'),
});
export type Finding = z.infer<typeof finding>;

export const checkAnswer = z.object({
  ok: z.boolean().describe('No error; warnings do not count.'),
  errors: z.array(finding).describe('The mapping would not work as it is. In the order of files and lines.'),
  warnings: z.array(finding).describe('It works, but someone should know.'),
});
export type CheckAnswer = z.infer<typeof checkAnswer>;

/** How many lookups a list of fields may go up: each level multiplies what is shown. */
export const MAX_DEPTH = 3;

export const fieldsQuery = z.object({
  depth: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_DEPTH)
    .default(0)
    .describe(`How many lookups to go up, 0 to ${MAX_DEPTH}: 1 lists the fields of parents too.`),
});

export const mappableField = z.object({
  path: z.string().describe('As in a mapping file, e.g. Owner.Email.'),
  label: z.string().describe('As people see it in Salesforce.'),
  type: z.string().describe('Describe type.'),
  length: z.number().int().nullable().describe('Most characters of a text; null for other types.'),
  values: z.array(z.string()).nullable().describe('Active values of a picklist; null for other types.'),
  calculated: z
    .enum(['formula', 'roll-up'])
    .nullable()
    .describe('Raises no change event of its own; roll-up: also what else the org calculates without a formula.'),
  mappedTo: z.array(z.string()).describe('Targets that show it in the mapping files, by a line or a transform.'),
});
export type MappableField = z.infer<typeof mappableField>;

export const mappableParent = z.object({
  path: z.string().describe('Relationship, e.g. Owner: a field of it is Owner.Email.'),
  objects: z.array(z.string()).describe('What it may lead to; of several, only name fields can be read.'),
});

export const fieldsAnswer = z.object({
  object: z.string(),
  label: z.string(),
  file: z.string().nullable().describe('The mapping file of the object; null: there is none.'),
  fields: z.array(mappableField).describe('Fields that the integration user can read, in the order of the org.'),
  parents: z.array(mappableParent).describe('Lookups that lead further up.'),
});
export type FieldsAnswer = z.infer<typeof fieldsAnswer>;
