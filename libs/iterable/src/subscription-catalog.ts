import type { OptOut } from '@libs/contracts';
import type { ReadClient } from './client.js';
import type { EndpointPace, PacedEndpoint } from './endpoint-pace.js';
import type { HttpAnswer } from './http.js';
import {
  classifyReadAnswer,
  parseChannels,
  parseMessageTypes,
  UnusableAnswerError,
  type Channel,
  type ReadVerdict,
} from './read.js';
import type { Subscription } from './subscription-lists.js';

/** How long the project's channels and message types are taken for known. Milliseconds. */
const KNOWN_FOR_MS = 60 * 60_000;
/** An id that is not among them has them asked for again, but not more often than this. Milliseconds. */
const ASK_AGAIN_MS = 60_000;

/** What an opt-out names, in the project's terms; `missing`: it names something that the project does not have. */
export interface Resolved {
  readonly kind: 'resolved';
  readonly subscriptions: readonly Subscription[];
  readonly missing: boolean;
}
export type NotResolved = Exclude<ReadVerdict, { kind: 'read' }>;

/** The project's channels and message types, kept for an hour. */
export class SubscriptionCatalog {
  private readonly channels: Shelf<Channel>;
  private readonly messageTypes: Shelf<{ readonly id: number }>;

  constructor(client: ReadClient, pace: EndpointPace) {
    this.channels = new Shelf('channels', (signal) => client.listChannels(signal), parseChannels, pace);
    this.messageTypes = new Shelf('messageTypes', (signal) => client.listMessageTypes(signal), parseMessageTypes, pace);
  }

  /** Asks for no more than the opt-out needs. Rejects with the signal's reason on an abort. */
  async resolve(optOut: OptOut, signal: AbortSignal): Promise<Resolved | NotResolved> {
    const ofChannels = optOut.allMarketing || optOut.channelIds.length > 0;
    const channels = ofChannels ? await this.channels.read(optOut.channelIds, signal) : [];
    if ('kind' in channels) return channels;
    const messageTypes =
      optOut.messageTypeIds.length > 0 ? await this.messageTypes.read(optOut.messageTypeIds, signal) : [];
    if ('kind' in messageTypes) return messageTypes;
    const wanted = new Set(optOut.channelIds);
    const types = new Set(optOut.messageTypeIds);
    const found = [
      ...channels
        .filter((channel) => wanted.has(channel.id) || (optOut.allMarketing && isMarketingEmail(channel)))
        .map(({ id }): Subscription => ({ group: 'messageChannel', id })),
      ...messageTypes.filter(({ id }) => types.has(id)).map(({ id }): Subscription => ({ group: 'messageType', id })),
    ];
    const missing =
      [...wanted].some((id) => !channels.some((channel) => channel.id === id)) ||
      [...types].some((id) => !messageTypes.some((type) => type.id === id));
    return { kind: 'resolved', subscriptions: found, missing };
  }

  /** Has something that was there gone since? Asks, unless it asked a moment ago; `false` when there is no telling. */
  async isGone({ group, id }: Subscription, signal: AbortSignal): Promise<boolean> {
    const shelf = group === 'messageChannel' ? this.channels : this.messageTypes;
    const fresh = await shelf.reread(signal);
    return !('kind' in fresh) && !fresh.some((item) => item.id === id);
  }
}

const isMarketingEmail = ({ channelType, messageMedium }: Channel): boolean =>
  channelType.toLowerCase() === 'marketing' && messageMedium.toLowerCase() === 'email';

/** One list of the project, and when it was read. */
class Shelf<T extends { readonly id: number }> {
  private held: { readonly items: readonly T[]; readonly atMs: number } | null = null;

  constructor(
    private readonly endpoint: PacedEndpoint,
    private readonly ask: (signal: AbortSignal) => Promise<HttpAnswer>,
    private readonly parse: (answer: HttpAnswer) => readonly T[],
    private readonly pace: EndpointPace,
  ) {}

  async read(ids: readonly number[], signal: AbortSignal): Promise<readonly T[] | NotResolved> {
    const { held } = this;
    if (held === null || this.pace.now() - held.atMs >= KNOWN_FOR_MS) return this.fetch(signal);
    const known = ids.every((id) => held.items.some((item) => item.id === id));
    return known ? held.items : this.reread(signal);
  }

  async reread(signal: AbortSignal): Promise<readonly T[] | NotResolved> {
    const { held } = this;
    return held !== null && this.pace.now() - held.atMs < ASK_AGAIN_MS ? held.items : this.fetch(signal);
  }

  private async fetch(signal: AbortSignal): Promise<readonly T[] | NotResolved> {
    const answer = await this.pace.call(this.endpoint, () => this.ask(signal), signal);
    const verdict = classifyReadAnswer(answer);
    if (answer instanceof Error || verdict.kind !== 'read') return verdict as NotResolved;
    try {
      const items = this.parse(answer);
      this.held = { items, atMs: this.pace.now() };
      return items;
    } catch (error) {
      if (error instanceof UnusableAnswerError) return { kind: 'retry', code: 'iterable.unreadable_answer' };
      throw error;
    }
  }
}
