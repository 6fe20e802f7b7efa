import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Bytes of the request target as sent. */
  readonly uriBytes: number;
}

export type Answerer = (request: Received, response: ServerResponse) => void;

/** A hand-written HTTP server for edge tests: records what arrives and answers as it is told. */
export class HttpFake {
  readonly received: Received[] = [];
  answer: Answerer = (_request, response) => void response.writeHead(500).end();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<HttpFake> {
    let fake: HttpFake | undefined;
    const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const target = new URL(request.url ?? '/', 'http://fake');
        const received: Received = {
          method: request.method ?? '',
          path: target.pathname,
          query: target.searchParams,
          headers: request.headers,
          body: Buffer.concat(chunks).toString(),
          uriBytes: Buffer.byteLength(request.url ?? ''),
        };
        fake?.received.push(received);
        fake?.answer(received, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fake = new HttpFake(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return fake;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8', ...headers });
  response.end(JSON.stringify(body));
}
