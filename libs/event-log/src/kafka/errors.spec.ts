import {
  KafkaJSConnectionError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSSASLAuthenticationError,
} from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { InvalidMessageError, LogUnavailableError } from '../errors.js';
import { LogAccessRefusedError, toLogError } from './errors.js';

/** An error as kafkajs makes it; its published types lack the constructors. */
const make = (kind: unknown, ...args: unknown[]) => new (kind as new (...args: unknown[]) => Error)(...args);
const broker = (type: string, retriable = false) =>
  make(KafkaJSProtocolError, Object.assign(new Error('the broker says so'), { type, code: 1, retriable }));
const gaveUp = (cause: Error) => make(KafkaJSNumberOfRetriesExceeded, cause, { retryCount: 5, retryTime: 1, cause });
const down = make(KafkaJSConnectionError, 'connect ECONNREFUSED', { broker: 'b:1' });

describe('toLogError', () => {
  it.each<[string, unknown, unknown]>([
    ['a broken connection', down, LogUnavailableError],
    ['retries used up', gaveUp(down), LogUnavailableError],
    ['an unknown topic', gaveUp(broker('UNKNOWN_TOPIC_OR_PARTITION', true)), LogUnavailableError],
    ['a lost idempotent sequence', broker('OUT_OF_ORDER_SEQUENCE_NUMBER'), LogUnavailableError],
    ['a refused credential', make(KafkaJSSASLAuthenticationError, 'no'), LogAccessRefusedError],
    ['a missing right', broker('TOPIC_AUTHORIZATION_FAILED'), LogAccessRefusedError],
    ['a message that is too large', broker('MESSAGE_TOO_LARGE'), KafkaJSProtocolError],
    [
      'a group shared with a stranger',
      make(KafkaJSNonRetriableError, 'x', { cause: broker('INCONSISTENT_GROUP_PROTOCOL') }),
      KafkaJSNonRetriableError,
    ],
    ['a bug', new TypeError('x'), TypeError],
    ['our own error', new InvalidMessageError('x'), InvalidMessageError],
  ])('%s', (_, error, kind) => {
    expect(toLogError(error, 'testing')).toBeInstanceOf(kind);
  });
});
