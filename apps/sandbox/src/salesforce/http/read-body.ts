import type { IncomingMessage } from 'node:http';

/** The body of a request is longer than the door allows. */
export class BodyTooLarge extends Error {}

/** Reads a request's body. Throws {@link BodyTooLarge} beyond `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new BodyTooLarge(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
