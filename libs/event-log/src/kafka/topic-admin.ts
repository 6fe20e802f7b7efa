import kafkajs, { type Admin, type ConfigSource } from 'kafkajs';
import type { Topic } from '@libs/contracts';
import { TopicMismatchError } from '../errors.js';
import type { TopicResult } from '../port.js';

export interface TopicSettings {
  readonly prefix: string;
  /** Partitions of `scaled` topics. */
  readonly partitions: number;
  readonly replication: number;
}

// Node finds only some of kafkajs's exports by name.
const { ConfigResourceTypes, ConfigSource: Sources } = kafkajs;

/** The topic's configuration that we decide; all else is the broker's. */
function configOf({ policy }: Topic, replication: number): Record<string, string> {
  return {
    'cleanup.policy': policy.cleanup,
    // One replica may be down without stopping writes; with fewer than three there is none to spare.
    'min.insync.replicas': String(replication >= 3 ? 2 : 1),
    ...(policy.cleanup === 'delete' ? { 'retention.ms': String(policy.retentionMs) } : {}),
  };
}

interface Entry {
  readonly configName: string;
  readonly configValue: string;
  readonly configSource: ConfigSource;
}

/**
 * Creates what is missing, corrects configuration, refuses another number of partitions. Idempotent, also among several at once.
 * Errors: {@link TopicMismatchError}, before anything is changed.
 */
export async function applyTopics(
  admin: Admin,
  wanted: readonly Topic[],
  settings: TopicSettings,
): Promise<readonly TopicResult[]> {
  const { prefix, replication } = settings;
  const named = wanted.map((topic) => ({
    topic,
    name: `${prefix}${topic.name}`,
    partitions: topic.partitions === 'scaled' ? settings.partitions : topic.partitions,
    config: configOf(topic, replication),
  }));
  const present = new Set(await admin.listTopics());
  const existing = named.filter(({ name }) => present.has(name));
  const missing = named.filter(({ name }) => !present.has(name));
  await checkPartitions(admin, existing);
  if (missing.length > 0) {
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ name, partitions, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries: Object.entries(config).map(([entry, value]) => ({ name: entry, value })),
      })),
    });
    // Somebody else may have created one meanwhile, with other settings.
    await checkPartitions(admin, missing);
  }
  const updated = new Set(await correctConfigs(admin, existing));
  return named.map(({ topic, name }) => ({
    topic: topic.name,
    result: present.has(name) ? (updated.has(name) ? 'updated' : 'unchanged') : 'created',
  }));
}

async function checkPartitions(
  admin: Admin,
  wanted: ReadonlyArray<{ readonly name: string; readonly partitions: number }>,
): Promise<void> {
  if (wanted.length === 0) return;
  const { topics } = await admin.fetchTopicMetadata({ topics: wanted.map(({ name }) => name) });
  for (const { name, partitions } of wanted) {
    const found = topics.find((topic) => topic.name === name)?.partitions.length;
    if (found === partitions) continue;
    throw new TopicMismatchError(
      `topic ${name} has ${found} partitions, wanted are ${partitions}: drain it and make it anew`,
    );
  }
}

/** Returns the names of the topics whose configuration was changed. */
async function correctConfigs(
  admin: Admin,
  wanted: ReadonlyArray<{ readonly name: string; readonly config: Readonly<Record<string, string>> }>,
): Promise<string[]> {
  if (wanted.length === 0) return [];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: wanted.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  const changes = wanted.flatMap(({ name, config }) => {
    const entries = (resources.find(({ resourceName }) => resourceName === name)?.configEntries ??
      []) as readonly Entry[];
    const now = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    if (Object.entries(config).every(([entry, value]) => now.get(entry) === value)) return [];
    // The request replaces all of a topic's own configuration: what somebody else set is sent along.
    const own = entries.filter(({ configSource }) => configSource === Sources.TOPIC_CONFIG);
    const all = {
      ...Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue])),
      ...config,
    };
    return [{ name, configEntries: Object.entries(all).map(([entry, value]) => ({ name: entry, value })) }];
  });
  if (changes.length === 0) return [];
  await admin.alterConfigs({
    validateOnly: false,
    resources: changes.map(({ name, configEntries }) => ({ type: ConfigResourceTypes.TOPIC, name, configEntries })),
  });
  return changes.map(({ name }) => name);
}
