import { AccessRefusedError, SyncError } from '@libs/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { SalesforceLimitError } from '../errors.js';
import { backoffMs } from './backoff.js';
import type { ChangeStream, StreamEnd } from './change-stream.js';

export interface Supervision {
  open(): Promise<ChangeStream>;
  /** Takes a stream's events until `next` gives null. A rejection is a bug, or the end of the taker: it ends the supervision. */
  consume(stream: ChangeStream): Promise<void>;
  /** A stream ended, or none could be opened; the next comes in `delayMs`. */
  onFailure(end: StreamEnd, delayMs: number): void;
  /** Ends the supervision; it resolves when the stream in hand is closed. */
  readonly signal: AbortSignal;
  /** Default {@link backoffMs}. */
  readonly delayMs?: typeof backoffMs;
  /** How it waits. Default {@link pause}. */
  readonly pause?: typeof pause;
}

/** Waits so many milliseconds, or until the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Why no stream could be opened. Foreign errors are bugs and pass through. */
function toEnd(error: unknown): StreamEnd {
  if (!(error instanceof SyncError)) throw error;
  const { message: detail, retryAfterMs } = error;
  if (error instanceof SalesforceLimitError) return { failure: 'limit', detail, retryAfterMs };
  if (error instanceof AccessRefusedError) return { failure: 'access', detail };
  return { failure: 'transport', detail };
}

/**
 * Keeps a stream going: each time one ends it is drained, thrown away, and after a wait a new one is made. Between two lives
 * nothing is carried over but what the taker has made durable.
 */
export async function superviseStream(supervision: Supervision): Promise<void> {
  const { open, onFailure, signal, delayMs = backoffMs, pause: wait = pause } = supervision;
  let attempt = 0;
  while (!signal.aborted) {
    const opened = await open().catch(toEnd);
    let end: StreamEnd | null;
    if ('next' in opened) {
      await drain(opened, supervision);
      if (opened.worked) attempt = 0;
      ({ end } = opened);
    } else {
      end = opened;
    }
    if (signal.aborted) return;
    attempt += 1;
    const { failure, detail, retryAfterMs } = end ?? { failure: 'unknown', detail: 'closed' };
    const delay = retryAfterMs ?? delayMs(failure, attempt, Math.random());
    onFailure({ failure, detail, retryAfterMs }, delay);
    await wait(delay, signal);
  }
}

/** Lets the taker have all of a stream, and closes it; closes it early when the supervision ends. */
async function drain(stream: ChangeStream, { consume, signal }: Supervision): Promise<void> {
  const close = () => void stream.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    if (!signal.aborted) await consume(stream);
  } finally {
    signal.removeEventListener('abort', close);
    await stream.close();
  }
}
