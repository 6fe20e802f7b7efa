import { describe, expect, it } from 'vitest';
import { positionOf, replayIdBytes } from './replay-id.js';

describe('replay ids as bytes', () => {
  it('are 8 bytes, big-endian, and come back', () => {
    expect(replayIdBytes(1_536_800).toString('hex')).toBe('0000000000177320');
    expect(positionOf(replayIdBytes(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['too short', Buffer.alloc(7)],
    ['too long', Buffer.alloc(9)],
    ['beyond any place', Buffer.alloc(8, 0xff)],
  ])('refuse what is none: %s', (_, bytes) => expect(positionOf(bytes)).toBeNull());
});
