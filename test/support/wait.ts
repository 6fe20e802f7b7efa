import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `look` gives something truthy, and returns it.
 * Errors: after `deadlineMs`, with what was last seen or thrown.
 */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  deadlineMs = 30_000,
  everyMs = 50,
): Promise<NonNullable<T>> {
  const end = Date.now() + deadlineMs;
  let seen: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value) return value;
      seen = value;
    } catch (error) {
      seen = error;
    }
    if (Date.now() > end)
      throw new Error(`waited ${deadlineMs} ms for ${what}; last: ${String(seen)}`, { cause: seen });
    await delay(everyMs);
  }
}
