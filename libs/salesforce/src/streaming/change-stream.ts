/**
 * Change events of an org, whatever carries them (CometD or the Pub/Sub API). A stream is one life of one client: it gives events until
 * it fails or is closed, and is never mended; `superviseStream` opens the next one.
 */

/** Where the delivery of a channel begins: after an event, with new events, or with all that Salesforce retains (72 h). */
export type ReplayFrom = { readonly after: string } | 'new' | 'all';

/** One event, stripped to what this project reads: no field values. */
export interface ChannelEvent {
  /** The channel that was subscribed, also where that carries several objects. */
  readonly channel: string;
  /** Opaque position of the event; `null` when the wire form could not keep it whole: then the position stays where it is. */
  readonly replayId: string | null;
  /**
   * `ChangeEventHeader`, unchecked, changed fields by name (`Name.FirstName`); `undefined` when the event has none, or cannot
   * be read: changes may be missing then.
   */
  readonly header: unknown;
  /**
   * Left out: an event. `position`: none, but Salesforce moved on; `replayId` is where the channel stands once all that was
   * given before is durable.
   */
  readonly kind?: 'position';
}

/** Why a stream ended. */
export type StreamFailure =
  /** The access token is refused: the session is thrown away. */
  | 'session'
  /** The credential or the user may not stream at all. */
  | 'access'
  /** The server forgot the client: a daily matter (facts/salesforce.md §1.3). */
  | 'unknown-client'
  /** Server or org has too many connections. */
  | 'busy'
  /** The allowance of delivered events is used up. */
  | 'limit'
  /** A connection failed or broke: an answer is lost, and with it maybe events. */
  | 'transport'
  /** A connection, and no answer in time. */
  | 'silent'
  /** Events come faster than they are taken: a new stream goes on from the last durable one (invariant 5). */
  | 'overflow'
  /** An answer that cannot be read. */
  | 'malformed'
  | 'unknown';

/** Why one channel of a stream does not deliver, while the others do. */
export type ChannelRefusal =
  /** The position is too old, or unknown: events were lost. */
  'replay-id' | 'no-channel' | 'permission' | 'unknown';

/** What a refusal or a failure means: for the whole stream, or for one channel of it. */
export type StreamVerdict =
  | { readonly scope: 'client'; readonly failure: StreamFailure; readonly detail: string }
  | { readonly scope: 'channel'; readonly refusal: ChannelRefusal; readonly detail: string };

export interface StreamEnd {
  readonly failure: StreamFailure;
  /** What the server said, cut short; no personal data. */
  readonly detail: string;
  /** How long the other side asks to wait, if it says. Milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

export interface ChangeStream {
  /**
   * The next events in the order of arrival, 1 to `max`; waits for them. `null` when the stream has ended and everything that
   * it had received was given: then `end` tells why. One call at a time.
   */
  next(max: number): Promise<readonly ChannelEvent[] | null>;
  /** Why it ended; `null` while it lives, and when it was closed. */
  readonly end: StreamEnd | null;
  /** Did it once work: a channel subscribed, and an answer after that? */
  readonly worked: boolean;
  /** Says good-bye to the server, for a second at most, and drops what was not taken. Idempotent. */
  close(): Promise<void>;
}

/** What a stream tells while it lives. Called synchronously; must not throw. */
export interface StreamObserver {
  /** Where this channel begins; asked at each subscription, so that a position moved meanwhile counts. */
  position(channel: string): ReplayFrom;
  onSubscribed(channel: string): void;
  /** After `replay-id` the channel is subscribed again at once, from what `position` then says; else it is probed now and then. */
  onRefused(channel: string, refusal: ChannelRefusal, detail: string): void;
  /** The server answered, with or without events. */
  onAlive(): void;
}

/** Opens one stream. Errors: those of ../errors.ts when no session is to be had. */
export type OpenStream = (channels: readonly string[], observer: StreamObserver) => Promise<ChangeStream>;
