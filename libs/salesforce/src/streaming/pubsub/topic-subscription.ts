import type { ChannelEvent, ReplayFrom } from '../change-stream.js';
import type { ConsumerEvent, FetchRequest, FetchResponse } from './proto.js';
import type { SubscribeCall } from './pubsub-client.js';
import type { SchemaVerdict } from './schema-cache.js';
import { toRpcEnd, type RpcEnd } from './rpc-error.js';
import { status } from '@grpc/grpc-js';

/** Most events asked for and not yet received. Source: facts/salesforce.md §2.2. */
const MOST_OUTSTANDING = 100;
/** Asked for in halves: while the events of one are read, those of the other travel. */
const PER_REQUEST = MOST_OUTSTANDING / 2;

export interface TopicHandlers {
  /** Is there room for more events? */
  hasRoom(): boolean;
  /** The server answered, with or without events. */
  onAnswer(): void;
  /** In the order of the topic. */
  onEvent(event: ChannelEvent): void;
  onUnreadable(replayId: string, detail: string): void;
  /** The call is over, and all that it had received was given. Told once, and not after `cancel`. */
  onEnd(end: RpcEnd): void;
}

export interface SchemaSource {
  /** At once, if it is known. */
  known(id: string): SchemaVerdict | null;
  get(id: string): Promise<SchemaVerdict>;
}

/** The first request of a call. Positions are base64 text here, and bytes on the wire. */
function firstRequest(topicName: string, from: ReplayFrom): FetchRequest {
  const request = { topicName, numRequested: PER_REQUEST };
  if (from === 'new') return { ...request, replayPreset: 'LATEST' };
  if (from === 'all') return { ...request, replayPreset: 'EARLIEST' };
  return { ...request, replayPreset: 'CUSTOM', replayId: Buffer.from(from.after, 'base64') };
}

/**
 * One Subscribe call: grants credit while there is room, and reads events in the order in which they come.
 * Invariant 5: a slow taker stops the credit, and with it the server.
 */
export class TopicSubscription {
  private outstanding = PER_REQUEST;
  private heardAt = Date.now();
  private cancelled = false;

  constructor(
    readonly topic: string,
    from: ReplayFrom,
    private readonly call: SubscribeCall,
    private readonly schemas: SchemaSource,
    private readonly handlers: TopicHandlers,
  ) {
    // Errors come through the reading; one that comes after it must not end the process
    call.on('error', () => undefined);
    call.write(firstRequest(topic, from));
    this.ask();
    void this.read();
  }

  /** Since when the server owes an answer; `null` while it owes none: it was asked for nothing. Epoch milliseconds. */
  get waitingSince(): number | null {
    return this.outstanding > 0 ? this.heardAt : null;
  }

  /** Asks for more events, if few are on their way and there is room. */
  ask(): void {
    if (this.cancelled || !this.handlers.hasRoom()) return;
    // Time without credit is not silence
    if (this.outstanding === 0) this.heardAt = Date.now();
    while (this.outstanding + PER_REQUEST <= MOST_OUTSTANDING) {
      this.outstanding += PER_REQUEST;
      this.call.write({ topicName: this.topic, numRequested: PER_REQUEST });
    }
  }

  cancel(): void {
    this.cancelled = true;
    this.call.cancel();
  }

  private async read(): Promise<void> {
    let end: RpcEnd = { status: status.OK, errorCode: '', message: 'the server ended the subscription' };
    try {
      // One response after the other: a schema that has to be fetched first must not let later events pass
      for await (const response of this.call as AsyncIterable<FetchResponse>) {
        if (this.cancelled) return;
        await this.receive(response);
      }
    } catch (error) {
      if (this.cancelled) return;
      end = toRpcEnd(error);
    }
    if (!this.cancelled) this.handlers.onEnd(end);
  }

  private async receive({ events, latestReplayId }: FetchResponse): Promise<void> {
    this.heardAt = Date.now();
    this.outstanding = Math.max(0, this.outstanding - events.length);
    this.handlers.onAnswer();
    // Before the events are read: the next ones travel meanwhile
    this.ask();
    for (const event of events) {
      const verdict =
        this.schemas.known(event.event?.schemaId ?? '') ?? (await this.schemas.get(event.event?.schemaId ?? ''));
      if (this.cancelled) return;
      this.handlers.onEvent(this.toChannelEvent(event, verdict));
    }
    // An empty response moves the position past what was none of ours. Source: facts/salesforce.md §2.2
    if (events.length === 0 && latestReplayId.length > 0) {
      const replayId = latestReplayId.toString('base64');
      this.handlers.onEvent({ channel: this.topic, replayId, header: undefined, kind: 'position' });
    }
  }

  /** The part of an event that this project keeps; field values end here. An unreadable event is one without a header. */
  private toChannelEvent({ event, replayId: bytes }: ConsumerEvent, verdict: SchemaVerdict): ChannelEvent {
    const replayId = bytes.toString('base64');
    let header: unknown;
    let detail = '';
    if (verdict.kind === 'unreadable') ({ detail } = verdict);
    else {
      try {
        header = verdict.schema.headerOf(event?.payload ?? Buffer.alloc(0));
      } catch (error) {
        detail = error instanceof Error ? error.message : 'unreadable';
      }
    }
    if (header === undefined) this.handlers.onUnreadable(replayId, detail);
    return { channel: this.topic, replayId: bytes.length === 0 ? null : replayId, header };
  }
}
