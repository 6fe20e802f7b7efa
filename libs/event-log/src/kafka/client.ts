import type { Logger } from '@libs/observability';
import { Kafka, logLevel, type logCreator, type SASLOptions } from 'kafkajs';
import { patchKafkajs } from './internals.js';

export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

export interface KafkaLogOptions {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly ssl?: boolean;
  readonly sasl?: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string };
  /** Put before every topic and group. Default: none. */
  readonly prefix?: string;
  /** Partitions of `scaled` topics. Default 6. */
  readonly partitions?: number;
  /** Replicas of created topics. Default 1. */
  readonly replication?: number;
  /** Default `gzip`. */
  readonly compression?: 'none' | 'gzip';
  /** Default 10,000 milliseconds. */
  readonly sessionTimeoutMs?: number;
  /** Named to the brokers and in each message's `ce_source`. Default `sync`. */
  readonly clientId?: string;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** kafkajs's own retries, within about 10 s; past them the callers' policy decides. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 3_000, retries: 6, factor: 0.2, multiplier: 2 } as const;

const CONNECTION_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** kafkajs calls what it will try again itself an error, and each pause of a partition information: one level lower each. */
const levels: Readonly<Record<number, 'warn' | 'info' | 'debug' | 'trace'>> = {
  [logLevel.ERROR]: 'warn',
  [logLevel.WARN]: 'info',
  [logLevel.INFO]: 'debug',
  [logLevel.DEBUG]: 'trace',
};

function logTo(logger: Logger): logCreator {
  return () =>
    ({ level, namespace, log: { message, error, groupId, broker } }) => {
      const line = { namespace, error: error as unknown, groupId: groupId as unknown, broker: broker as unknown };
      logger[levels[level] ?? 'trace'](line, `kafkajs: ${message}`);
    };
}

/** The client that all parts of one log share. Connects to nothing yet. */
export function makeClient(options: KafkaLogOptions, logger: Logger): Kafka {
  patchKafkajs();
  const { brokers, ssl = false, sasl, clientId = 'sync' } = options;
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ssl,
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry: RETRY,
    logLevel: logLevel.INFO,
    logCreator: logTo(logger),
  });
}
