import { allTopics, topics, type Topic } from '@libs/contracts';
import { stringify } from 'yaml';
import { z } from 'zod';
import { carriesMessages } from './log-pages.js';
import type { Page } from './page.js';

/** Name of a topic in the code: the name of its channel. */
const nameOf = (topic: Topic) => Object.entries(topics).find(([, one]) => one.name === topic.name)?.[0] ?? topic.name;

/** `sync.record-batch` as the name of a component: `recordBatch`. */
const componentOf = ({ type }: Topic) =>
  type.replace(/^sync\./, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function message(topic: Topic) {
  const { $schema: _, ...payload } = z.toJSONSchema(topic.schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
  });
  return {
    name: topic.type,
    contentType: 'application/json',
    headers: {
      type: 'object',
      required: ['ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'ce_time'],
      properties: {
        ce_specversion: { type: 'string', const: '1.0' },
        ce_id: { type: 'string' },
        ce_type: { type: 'string', const: topic.type },
        ce_source: { type: 'string' },
        ce_time: { type: 'string', format: 'date-time' },
        traceparent: { type: 'string' },
      },
    },
    payload,
  };
}

function channel(topic: Topic) {
  const { policy, partitions } = topic;
  const retention = policy.cleanup === 'delete' ? { 'retention.ms': policy.retentionMs } : {};
  const component = componentOf(topic);
  return {
    address: topic.name,
    description: `${topic.about} Key: ${topic.key}.`,
    messages: carriesMessages(topic) ? { [component]: { $ref: `#/components/messages/${component}` } } : {},
    bindings: {
      kafka: {
        topic: topic.name,
        ...(partitions === 'scaled' ? {} : { partitions }),
        topicConfiguration: { 'cleanup.policy': [policy.cleanup], ...retention },
        bindingVersion: '0.5.0',
      },
    },
  };
}

/** The sync as a whole takes commands; everything else it says, to itself and to whoever listens. */
function operation(topic: Topic) {
  const name = nameOf(topic);
  return {
    action: topic.name === topics.commands.name ? 'receive' : 'send',
    channel: { $ref: `#/channels/${name}` },
    summary: topic.about,
  };
}

/** docs/reference/asyncapi.yaml: the topics as an AsyncAPI 3 document. */
export function asyncApiPage(version: string): Page {
  const carrying = allTopics.filter(carriesMessages);
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'salesforce-iterable-sync',
      version,
      description:
        'What the services say to each other. Names take the prefix KAFKA_TOPIC_PREFIX. Made from code by npm run docs; do not edit.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: '{brokers}',
        protocol: 'kafka',
        variables: { brokers: { description: 'KAFKA_BROKERS', default: 'localhost:9092' } },
      },
    },
    channels: Object.fromEntries(allTopics.map((topic) => [nameOf(topic), channel(topic)])),
    operations: Object.fromEntries(
      carrying.map((topic) => [`${operation(topic).action}_${nameOf(topic)}`, operation(topic)]),
    ),
    components: { messages: Object.fromEntries(carrying.map((topic) => [componentOf(topic), message(topic)])) },
  };
  return {
    path: 'docs/reference/asyncapi.yaml',
    content: stringify(document, { aliasDuplicateObjects: false, lineWidth: 120 }),
  };
}
