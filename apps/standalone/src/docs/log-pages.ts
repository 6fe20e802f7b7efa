import {
  allTopics,
  backfillStart,
  deadLettersContinue,
  deadLettersRedrive,
  errorCodes,
  groupOf,
  mappingReload,
  targetOfCommand,
  topics,
  type Topic,
} from '@libs/contracts';
import { metricDefinitions, type MetricDefinition } from '@libs/observability';
import { z } from 'zod';
import { code, markdownPage, markdownTable, type Page } from './page.js';

const DAY_MS = 86_400_000;

/** A topic that carries nothing has no key. */
export const carriesMessages = ({ key }: Topic) => key !== '–';

function policyOf({ policy }: Topic): string {
  return policy.cleanup === 'compact' ? 'compact' : `delete, ${policy.retentionMs / DAY_MS} d`;
}

/** The type of a JSON schema in a few words. */
export function typeInWords(schema: z.core.JSONSchema.BaseSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => typeInWords(one)).join(' or ');
  if (schema.type === 'array') {
    const items = schema.items;
    return typeof items === 'object' && !Array.isArray(items) ? `list of ${typeInWords(items)}` : 'list';
  }
  return [schema.type ?? 'any'].flat().join(' or ');
}

function fieldRows(schema: z.core.JSONSchema.BaseSchema): string[][] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).map(([name, field]) => [
    code(name),
    typeof field === 'object' ? typeInWords(field) : 'any',
    required.has(name) ? 'yes' : '',
  ]);
}

function messageSection(topic: Topic): string {
  const schema = z.toJSONSchema(topic.schema, { io: 'input', unrepresentable: 'any' });
  const fields = markdownTable(['Field', 'Type', 'Required'], fieldRows(schema));
  return `## ${topic.name}\n\n${topic.about} Type ${code(topic.type)}, key: ${topic.key}.\n\n${fields}`;
}

/** What a command's `data` may hold, by its type, and what its schema does not show. */
const commandData: Readonly<Record<string, { readonly data: z.ZodType; readonly about: string }>> = {
  'backfill.start': { data: backfillStart, about: 'Either `object` or `ids` is needed.' },
  'mapping.reload': { data: mappingReload, about: 'No data.' },
  'dead-letters.redrive': {
    data: deadLettersRedrive,
    about: 'At least one is needed; letters must fulfil all that are given. See [dead letters](../dead-letters.md).',
  },
  'dead-letters.continue': { data: deadLettersContinue, about: 'Default: 10 minutes.' },
};

const commands = Object.entries(commandData);

function commandSection([type, { data, about }]: (typeof commands)[number]): string {
  const rows = fieldRows(z.toJSONSchema(data, { io: 'input', unrepresentable: 'any' }));
  const parts = [`### ${type}`, `Key ${code(targetOfCommand(type) ?? '')}. ${about}`];
  return [...parts, ...(rows.length === 0 ? [] : [markdownTable(['Field of data', 'Type', 'Required'], rows)])].join(
    '\n\n',
  );
}

const commandsOf = (topic: Topic) => (topic.name === topics.commands.name ? commands.map(commandSection) : []);

/** docs/reference/topics.md. */
export function topicsPage(): Page {
  const rows = allTopics.map((topic) => [
    `[${topic.name}](#${topic.name.replaceAll('.', '')})`,
    topic.key,
    topic.about,
    policyOf(topic),
    topic.partitions === 'scaled' ? 'KAFKA_PARTITIONS' : String(topic.partitions),
  ]);
  return markdownPage(
    'docs/reference/topics.md',
    'Topics',
    `Values are JSON. Headers follow the CloudEvents Kafka binding: \`ce_id\`, \`ce_type\`, \`ce_source\`, \`ce_time\`. Names and consumer groups ` +
      `(${code(groupOf('<app>'))}) take the prefix KAFKA_TOPIC_PREFIX. \`sync topics apply\` makes the topics; a broker that makes them by itself gives them wrong ` +
      'partitions. The same as an AsyncAPI document: [asyncapi.yaml](asyncapi.yaml).',
    markdownTable(['Topic', 'Key', 'Carries', 'Policy', 'Partitions'], rows),
    ...allTopics.filter(carriesMessages).flatMap((topic) => [messageSection(topic), ...commandsOf(topic)]),
    ...allTopics.filter((topic) => !carriesMessages(topic)).map((topic) => `## ${topic.name}\n\n${topic.about}`),
  );
}

/** docs/reference/metrics.md. */
export function metricsPage(): Page {
  const rows = Object.values<MetricDefinition>(metricDefinitions).map(({ name, type, help, labels = [], buckets }) => [
    code(name),
    type,
    labels.map(code).join(', '),
    buckets === undefined ? help : `${help} Buckets: ${buckets.join(', ')}.`,
  ]);
  return markdownPage(
    'docs/reference/metrics.md',
    'Metrics',
    'Every service answers `/metrics` for Prometheus with these and with the process metrics of prom-client (`process_*`, `nodejs_*`). Units are base units; ' +
      'labels are bounded sets and never hold an id, an email or a message.',
    markdownTable(['Metric', 'Type', 'Labels', 'Meaning'], rows),
  );
}

/** docs/reference/error-codes.md. */
export function errorCodesPage(): Page {
  const rows = Object.entries(errorCodes).map(([name, { meaning, remedy }]) => [code(name), meaning, remedy]);
  return markdownPage(
    'docs/reference/error-codes.md',
    'Error and reason codes',
    'Codes appear in dead letters, outcomes, status messages, metrics, logs and answers of the console. They are never renamed. Where the remedy says so, the record comes ' +
      'again with its next change in Salesforce; `sync dead-letters redrive` fetches [dead ones](../dead-letters.md) at once, `sync backfill start --ids …` any.',
    markdownTable(['Code', 'Meaning', 'What to do'], rows),
  );
}
