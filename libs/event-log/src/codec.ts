import { randomUUID } from 'node:crypto';
import type { Topic } from '@libs/contracts';
import { InvalidMessageError } from './errors.js';
import type { Outgoing } from './port.js';

/** Largest message, key, value and headers together, on either log: leaves room under Kafka's `message.max.bytes` of 1,048,588. Bytes. */
export const MAX_MESSAGE_BYTES = 900_000;

/** How many problems of one message are told. */
const MAX_PROBLEMS = 5;

/** A message on its way to the log. */
export interface Encoded {
  readonly key: string;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly code: string;
}

/** Says which fields are wrong and how, never what they hold. */
function describeIssues(issues: readonly Issue[]): string {
  const told = issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, code }) => `${path.map(String).join('.') || 'message'} ${code}`);
  const more = issues.length - told.length;
  return told.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/**
 * Reads a message's value: JSON that fits the topic's schema. Pure and total.
 * The reason names fields and kinds of problem, without values.
 */
export function decode<T>(topic: Topic<T>, text: string | null): Decoded<T> {
  if (text === null) return { ok: false, reason: 'has no value' };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    return { ok: false, reason: 'is not JSON' };
  }
  const parsed = topic.schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, reason: `does not fit ${topic.type}: ${describeIssues(parsed.error.issues)}` };
}

/**
 * Makes a message ready for the log: checked with the topic's schema, JSON, with the headers of the CloudEvents Kafka
 * binding (binary mode). `source` is `/sync/<clientId>`.
 * Errors: {@link InvalidMessageError} when it does not fit its schema or is too large.
 */
export function encode(message: Outgoing, source: string, now: Date): Encoded {
  const { topic, key } = message;
  const headers = {
    ...message.headers,
    ce_specversion: '1.0',
    ce_id: randomUUID(),
    ce_type: topic.type,
    ce_source: source,
    ce_time: now.toISOString(),
    'content-type': 'application/json',
  };
  const value = message.value === null ? tombstone(topic) : serialize(topic, message.value);
  const headerBytes = Object.entries(headers).reduce(
    (sum, [name, text]) => sum + name.length + Buffer.byteLength(text),
    0,
  );
  const bytes = Buffer.byteLength(key) + (value === null ? 0 : Buffer.byteLength(value)) + headerBytes;
  if (bytes > MAX_MESSAGE_BYTES) {
    throw new InvalidMessageError(`a message for ${topic.name} has ${bytes} bytes, more than ${MAX_MESSAGE_BYTES}`);
  }
  return { key, value, headers, bytes };
}

function tombstone(topic: Topic): null {
  if (topic.policy.cleanup === 'compact') return null;
  throw new InvalidMessageError(`${topic.name} is not compacted: it takes no tombstone`);
}

function serialize(topic: Topic, value: unknown): string {
  const parsed = topic.schema.safeParse(value);
  if (parsed.success) return JSON.stringify(parsed.data);
  throw new InvalidMessageError(`a message does not fit ${topic.name}: ${describeIssues(parsed.error.issues)}`);
}
