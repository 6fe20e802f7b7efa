import type { LogRecord } from '../port.js';
import type { FetchedMessage } from './internals.js';

type HeaderValue = NonNullable<FetchedMessage['headers']>[string];

function headerText(value: HeaderValue): string {
  const one = Array.isArray(value)
    ? (value as ReadonlyArray<Buffer | string>).at(-1)
    : (value as Buffer | string | undefined);
  return one?.toString() ?? '';
}

/** A message as kafkajs has it, as the port has it. `topic` without prefix. */
export function toRecord(topic: string, partition: number, message: FetchedMessage): LogRecord {
  const { offset, key, value, headers = {}, timestamp } = message;
  return {
    topic,
    partition,
    offset: Number(offset),
    key: key?.toString() ?? '',
    value: value?.toString() ?? null,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, headerText(text)])),
    timestampMs: Number(timestamp),
  };
}
