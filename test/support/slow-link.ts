import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server on which everything takes a while. */
export interface SlowLink {
  /** `host:port` */
  readonly address: string;
  close(): Promise<void>;
}

/** Passes what comes on after a wait, in order. */
function pass(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (chunk: Buffer) => void setTimeout(() => to.write(chunk), delayMs));
  from.on('close', () => void setTimeout(() => to.destroy(), delayMs));
  from.on('error', () => from.destroy());
}

/** Opens a port before a port of this machine: there and back takes `roundTripMs` longer, whatever the amount. */
export async function slowLink(port: number, roundTripMs: number): Promise<SlowLink> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    pass(near, far, roundTripMs / 2);
    pass(far, near, roundTripMs / 2);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
