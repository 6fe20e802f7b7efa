import type { HandlerParts } from '../src/cdc-listener.handler.js';

/** Channels that no mapping changes. */
export function fixedChannels(channels: ReadonlyMap<string, readonly string[]>): HandlerParts['following'] {
  return { channels, onOthers: () => undefined, start: () => undefined, close: () => Promise.resolve() };
}
