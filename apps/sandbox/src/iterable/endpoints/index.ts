import { bulkUpdate } from './bulk-update.js';
import type { Endpoint } from './endpoint.js';
import { forgetEndpoints } from './forget.js';
import { merge } from './merge.js';
import { readEndpoints } from './read.js';
import { subscriptionGroupEndpoints } from './subscription-groups.js';
import { subscriptionEndpoints } from './subscriptions.js';
import { deleteByEmail, deleteByUserId, update, updateEmail } from './update.js';

/** Every endpoint of the simulated API. */
export const endpoints: readonly Endpoint[] = [
  bulkUpdate,
  update,
  updateEmail,
  merge,
  deleteByEmail,
  deleteByUserId,
  ...forgetEndpoints,
  ...subscriptionEndpoints,
  ...subscriptionGroupEndpoints,
  ...readEndpoints,
];

export interface Route {
  endpoint: Endpoint;
  params: Record<string, string>;
}

/** Finds the endpoint of a path below /api/, a literal segment before a parameter. `null`: there is none. */
export function route(method: string, path: string): Route | 'malformed' | null {
  const segments = path.split('/');
  let best: Route | null = null;
  for (const endpoint of endpoints) {
    if (endpoint.method !== method) continue;
    const wanted = endpoint.path.split('/');
    if (wanted.length !== segments.length) continue;
    const params: Record<string, string> = {};
    const matches = wanted.every((part, index) => {
      const segment = segments[index] ?? '';
      if (!part.startsWith('{')) return part === segment;
      params[part.slice(1, -1)] = segment;
      return segment !== '';
    });
    if (!matches) continue;
    if (Object.keys(params).length === 0) return { endpoint, params };
    best ??= { endpoint, params };
  }
  if (best === null) return null;
  try {
    for (const [name, value] of Object.entries(best.params)) best.params[name] = decodeURIComponent(value);
  } catch {
    return 'malformed';
  }
  return best;
}
