import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { classifyRpcEnd, isAboutTheRequest, toRpcEnd } from './rpc-error.js';

const SALESFORCE = 'sfdc.platform.eventbus.grpc.';

describe('classifyRpcEnd', () => {
  it.each<[number, string, string, string]>([
    // Those of facts/salesforce.md §2.4
    [status.UNAUTHENTICATED, 'service.auth.error', '', 'session'],
    [status.UNAUTHENTICATED, 'service.auth.refresh.invalid', '', 'session'],
    [status.INVALID_ARGUMENT, 'subscription.fetch.replayid.corrupted', 'The Replay ID validation failed.', 'replay-id'],
    [status.INVALID_ARGUMENT, 'subscription.fetch.replayid.validation.failed', '', 'replay-id'],
    [status.INVALID_ARGUMENT, 'subscription.fetch.requested.events.invalid', '', 'unknown'],
    [status.NOT_FOUND, 'subscription.topic.notfound', '', 'no-channel'],
    [status.RESOURCE_EXHAUSTED, 'subscription.limit.exceeded', '', 'limit'],
    [status.FAILED_PRECONDITION, 'subscription.limit.exceeded', 'under a status that is not documented', 'limit'],
    [status.UNAVAILABLE, 'service.unavailable', '', 'transport'],
    [status.INTERNAL, 'service.internal.error', '', 'transport'],
    // Without a code of Salesforce's
    [status.INVALID_ARGUMENT, '', 'The Replay ID validation failed. rpcId: 1', 'replay-id'],
    [status.RESOURCE_EXHAUSTED, '', 'You have exceeded the event delivery limit for your org.', 'limit'],
    [status.RESOURCE_EXHAUSTED, '', 'Received message larger than max (9 vs 4)', 'malformed'],
    [status.RESOURCE_EXHAUSTED, '', 'too many streams', 'busy'],
    [status.UNAUTHENTICATED, '', '', 'session'],
    [status.PERMISSION_DENIED, '', '', 'permission'],
    [status.NOT_FOUND, '', '', 'no-channel'],
    [status.DEADLINE_EXCEEDED, '', '', 'silent'],
    [status.UNAVAILABLE, '', 'Connection dropped', 'transport'],
    [status.INTERNAL, '', 'Received RST_STREAM with code 2', 'transport'],
    [status.CANCELLED, '', '', 'transport'],
    [status.UNKNOWN, '', '', 'transport'],
    [status.ABORTED, '', '', 'transport'],
    [status.DATA_LOSS, '', '', 'transport'],
    [status.OK, '', '', 'transport'],
    [status.UNIMPLEMENTED, '', '', 'unknown'],
    [99, '', 'a status of the future', 'transport'],
  ])('%i %s %s: %s', (code, errorCode, message, expected) => {
    const verdict = classifyRpcEnd({ status: code, errorCode: errorCode && SALESFORCE + errorCode, message });
    expect(verdict.scope === 'client' ? verdict.failure : verdict.refusal).toBe(expected);
    const isOfOneTopic = ['replay-id', 'no-channel', 'permission'].includes(expected);
    expect(verdict.scope).toBe(isOfOneTopic ? 'channel' : 'client');
  });

  it('says what the server said', () => {
    const { detail } = classifyRpcEnd({ status: status.UNAVAILABLE, errorCode: 'a.b', message: 'm'.repeat(500) });
    expect(detail).toMatch(/^UNAVAILABLE, a\.b, m+…$/);
    expect(detail.length).toBeLessThan(210);
  });
});

describe('isAboutTheRequest', () => {
  it.each<[status, string, boolean]>([
    [status.NOT_FOUND, 'schema.notfound', true],
    [status.INVALID_ARGUMENT, '', true],
    [status.UNAVAILABLE, '', false],
    [status.INTERNAL, '', false],
    [status.DEADLINE_EXCEEDED, '', false],
    [status.UNAUTHENTICATED, 'service.auth.error', false],
    [status.PERMISSION_DENIED, '', false],
    [status.RESOURCE_EXHAUSTED, '', false],
  ])('%i %s: %s', (code, errorCode, expected) => {
    expect(isAboutTheRequest({ status: code, errorCode: SALESFORCE + errorCode, message: '' })).toBe(expected);
  });
});

describe('toRpcEnd', () => {
  it("reads gRPC's errors, with Salesforce's code out of the trailers", () => {
    const metadata = new Metadata();
    metadata.set('error-code', 'x.y');
    const error = Object.assign(new Error('whole'), { code: status.INTERNAL, details: 'short', metadata });
    expect(toRpcEnd(error)).toEqual({ status: status.INTERNAL, errorCode: 'x.y', message: 'short' });
    expect(toRpcEnd({ code: status.OK, details: '' })).toEqual({ status: status.OK, errorCode: '', message: '' });
  });

  it('reads a call that broke off without a word of gRPC', () => {
    expect(toRpcEnd({ code: 'ERR_STREAM_PREMATURE_CLOSE' }).status).toBe(status.UNKNOWN);
  });

  it('throws bugs on', () => {
    const bug = new TypeError('x is not a function');
    expect(() => toRpcEnd(bug)).toThrow(bug);
  });
});
