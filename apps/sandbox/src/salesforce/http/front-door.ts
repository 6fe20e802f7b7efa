import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CometdServer } from '../cometd/cometd-server.js';
import { oauthEndpoints } from '../oauth/oauth-endpoints.js';
import type { Org } from '../org.js';
import { restApi } from '../rest/rest-api.js';
import { errorReply, htmlReply, maintenancePage, send, type Reply } from './replies.js';
import { strike } from '../fault-kinds.js';

/** URI and headers together, bytes. Source: facts/salesforce.md §4.2. */
const MAX_HEAD_BYTES = 16_384;

/** The org's HTTP server: limits and faults that are the same for every path, then OAuth, REST or CometD. */
export class FrontDoor {
  private readonly server: Server;

  constructor(
    private readonly org: Org,
    private readonly cometd: CometdServer,
  ) {
    // Node's own limit is above ours, so that the refusal is Salesforce's and not Node's.
    this.server = createServer({ maxHeaderSize: 4 * MAX_HEAD_BYTES, keepAliveTimeout: 60_000 }, (request, response) => {
      void this.serve(request, response);
    });
    this.server.requestTimeout = 0;
  }

  async listen(port: number, host: string): Promise<{ url: string }> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    const { port: bound } = this.server.address() as AddressInfo;
    const shown = host.includes(':') ? `[${host}]` : host;
    return { url: `http://${shown}:${bound}` };
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    try {
      await this.answer(request, response);
    } catch (error) {
      // A client that goes away in the middle of its request is no news.
      if (request.destroyed || response.destroyed) return;
      const message = `An unexpected error occurred. Please include this ErrorId if you contact support: ${String(error)}`;
      send(response, errorReply(500, [{ message, errorCode: 'UNKNOWN_EXCEPTION' }]));
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const tooLarge = headTooLarge(request);
    if (tooLarge !== null) {
      send(response, tooLarge);
      return;
    }
    const url = new URL(request.url ?? '/', 'http://org');
    const { faults } = this.org;
    const latency = strike(faults, 'latency', url.pathname);
    if (latency !== null) {
      await new Promise((resolve) => setTimeout(resolve, latency.delayMs));
    }
    const disconnect = strike(faults, 'disconnect', url.pathname);
    if (disconnect !== null && disconnect.when !== 'after') {
      request.socket.destroy();
      return;
    }
    const refusal = this.faultReply(url.pathname);
    if (refusal !== null) {
      send(response, refusal);
    } else if (/^\/cometd(\/|$)/.test(url.pathname)) {
      if (disconnect !== null) request.socket.destroy();
      await this.cometd.handle(request, response, url.pathname);
    } else {
      const reply = await this.route(request, url);
      if (disconnect !== null) request.socket.destroy();
      send(response, reply);
    }
  }

  private faultReply(path: string): Reply | null {
    const { faults } = this.org;
    if (strike(faults, 'http-503-html', path)) return maintenancePage();
    if (!strike(faults, 'http-500', path)) return null;
    const message =
      'An unexpected error occurred. Please include this ErrorId if you contact support: 1428267360-97613 (-1467391134)';
    return errorReply(500, [{ message, errorCode: 'UNKNOWN_EXCEPTION' }]);
  }

  private async route(request: IncomingMessage, url: URL): Promise<Reply> {
    if (/^\/services\/data(\/|$)/.test(url.pathname)) return restApi(this.org, request, url);
    return (await oauthEndpoints(this.org, request, url)) ?? htmlReply(404, 'URL No Longer Exists');
  }
}

/** 414 or 431, whichever part of the head is the larger. */
function headTooLarge(request: IncomingMessage): Reply | null {
  const uri = Buffer.byteLength(request.url ?? '');
  const headers = request.rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 0);
  if (uri + headers <= MAX_HEAD_BYTES) return null;
  return uri >= headers ? htmlReply(414, 'URI Too Long') : htmlReply(431, 'Request Header Fields Too Large');
}
