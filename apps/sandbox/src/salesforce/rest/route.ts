import type { IncomingMessage } from 'node:http';
import type { Reply } from '../http/replies.js';
import type { Session } from '../oauth/sessions.js';
import type { Org } from '../org.js';
import type { Author } from '../writes/transaction.js';

/** An authenticated REST request, its path already matched. */
export interface RestCall {
  readonly org: Org;
  readonly request: IncomingMessage;
  readonly session: Session;
  /** `67.0`. */
  readonly version: string;
  readonly url: URL;
  /** Captured parts of the path, decoded. */
  readonly params: readonly string[];
  /** The parsed JSON body; throws JSON_PARSER_ERROR or UNSUPPORTED_MEDIA_TYPE. */
  body(): Promise<unknown>;
  /** Whom the change events of this request name. */
  readonly author: Author;
}

/** One resource and method. `path` is matched after `/services/data/vNN.0`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: RegExp;
  handle(call: RestCall): Reply | Promise<Reply>;
}
