import type { ServerResponse } from 'node:http';
import type { ErrorEntry } from '../errors.js';

/** An answer, ready to send. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** A value, a text as it is, or nothing. */
  readonly body?: { json: unknown } | { html: string };
}

export const json = (status: number, value: unknown, headers?: Reply['headers']): Reply => ({
  status,
  body: { json: value },
  ...(headers === undefined ? {} : { headers }),
});

export const noContent: Reply = { status: 204 };

export const errorReply = (status: number, entries: readonly ErrorEntry[]): Reply => json(status, entries);

/** HTML bodies do occur at the edge of Salesforce. Source: facts/salesforce.md §4.4. */
export const htmlReply = (status: number, title: string): Reply => ({
  status,
  body: { html: `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n` },
});

export const maintenancePage = (): Reply =>
  htmlReply(503, 'We are down for maintenance. Sorry for the inconvenience. We will be back shortly.');

/** Sends a reply. Does nothing on a socket that is gone. */
export function send(response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.body === undefined) {
    response.writeHead(reply.status).end();
    return;
  }
  const [type, text] =
    'json' in reply.body
      ? ['application/json;charset=UTF-8', JSON.stringify(reply.body.json)]
      : ['text/html;charset=UTF-8', reply.body.html];
  response.writeHead(reply.status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}
