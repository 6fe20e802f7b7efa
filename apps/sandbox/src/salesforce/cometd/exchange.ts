import type { IncomingMessage } from 'node:http';
import type { CometdClient } from './cometd-client.js';
import type { BayeuxReply, BayeuxRequest } from './messages.js';

/** One HTTP request of a client while its messages are worked on. */
export interface Exchange {
  readonly request: IncomingMessage;
  /** `/cometd/67.0`. */
  readonly path: string;
  readonly replies: BayeuxReply[];
  /** Cookies to set, when the request brought a handshake. */
  cookies: string[];
  /** The client whose connect is in this request: it is answered last, perhaps much later. */
  connect: { client: CometdClient; message: BayeuxRequest } | null;
}
