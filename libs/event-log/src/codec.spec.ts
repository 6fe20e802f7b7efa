import { toRecordId, topics, type RecordChange } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { decode, encode, MAX_MESSAGE_BYTES } from './codec.js';
import { InvalidMessageError } from './errors.js';

const change: RecordChange = {
  recordType: 'Lead',
  recordId: toRecordId('00Q5e00001AAAAA') ?? '',
  changeType: 'UPDATE',
  source: 'cdc',
  lane: 'realtime',
  commitTimestamp: 1_700_000_000_000,
};
const now = new Date('2026-01-02T03:04:05.678Z');

describe('decode', () => {
  it.each<[string, string | null, string]>([
    ['no value', null, 'has no value'],
    ['no JSON', '{"email":"jane@example.com"', 'is not JSON'],
    ['another shape', '[]', 'does not fit sync.record-change: message invalid_type'],
    [
      'a bad field',
      JSON.stringify({ ...change, recordId: 'jane@example.com' }),
      'does not fit sync.record-change: recordId custom',
    ],
    [
      'many bad fields',
      '{}',
      'does not fit sync.record-change: recordType invalid_type, recordId invalid_type, changeType invalid_value, source invalid_value, lane invalid_value and 1 more',
    ],
  ])('tells what is wrong with %s, without its content', (_, text, reason) => {
    expect(decode(topics.changes, text)).toEqual({ ok: false, reason });
  });

  it('reads what encode wrote', () => {
    const { value } = encode({ topic: topics.changes, key: change.recordId, value: change }, '/sync/test', now);
    expect(decode(topics.changes, value)).toEqual({ ok: true, value: change });
  });
});

describe('encode', () => {
  it('adds the CloudEvents headers, a fresh id each time', () => {
    const message = { topic: topics.changes, key: 'k', value: change, headers: { traceparent: '00-1-2-01' } };
    const [first, second] = [encode(message, '/sync/test', now), encode(message, '/sync/test', now)];
    const { ce_id: firstId, ...rest } = first.headers;
    expect(rest).toEqual({
      traceparent: '00-1-2-01',
      ce_specversion: '1.0',
      ce_type: 'sync.record-change',
      ce_source: '/sync/test',
      ce_time: '2026-01-02T03:04:05.678Z',
      'content-type': 'application/json',
    });
    expect(firstId).not.toBe(second.headers['ce_id']);
  });

  it('refuses a message that does not fit its topic, without showing it', () => {
    const bad = { topic: topics.changes, key: 'k', value: { ...change, recordId: 'jane@example.com' } };
    expect(() => encode(bad, '/sync/test', now)).toThrow(
      new InvalidMessageError('a message does not fit salesforce.changes.v1: recordId custom'),
    );
  });

  it('takes a tombstone on a compacted topic only', () => {
    expect(encode({ topic: topics.identities, key: 'k', value: null }, '/sync/test', now).value).toBeNull();
    expect(() => encode({ topic: topics.changes, key: 'k', value: null }, '/sync/test', now)).toThrow(
      InvalidMessageError,
    );
  });

  it('refuses a message that the broker would refuse', () => {
    const large = { ...change, jobId: 'x'.repeat(MAX_MESSAGE_BYTES) };
    expect(() => encode({ topic: topics.changes, key: 'k', value: large }, '/sync/test', now)).toThrow(
      /more than 900000/,
    );
  });
});
