import { json, type Reply } from '../http/replies.js';
import type { RestCall, Route } from './route.js';

/** The version's own resources, and `limits`. */
export const orgRoutes: readonly Route[] = [
  { method: 'GET', path: /^\/?$/, handle: resources },
  { method: 'GET', path: /^\/limits\/?$/, handle: limits },
];

function resources(call: RestCall): Reply {
  const base = `/services/data/v${call.version}`;
  const { organizationId, userId } = call.org.identity;
  return json(200, {
    identity: `http://${call.request.headers.host}/id/${organizationId}/${userId}`,
    sobjects: `${base}/sobjects`,
    query: `${base}/query`,
    queryAll: `${base}/queryAll`,
    composite: `${base}/composite`,
    limits: `${base}/limits`,
  });
}

function limits(call: RestCall): Reply {
  const { limits: max, apiRequests, deliveredEvents } = call.org;
  const entry = (most: number, used: number) => ({ Max: most, Remaining: Math.max(0, most - used) });
  return json(200, {
    DailyApiRequests: entry(max.apiRequestsPerDay, apiRequests.used),
    // Where the limit is lifted the org shows the allocation of the add-on, all of it left. Source: facts/salesforce.md §3.7.
    DailyDeliveredPlatformEvents:
      max.deliveredEventsPerDay === null ? entry(150_000, 0) : entry(max.deliveredEventsPerDay, deliveredEvents.used),
    DailyStreamingApiEvents: entry(1_000_000, 0),
    StreamingApiConcurrentClients: entry(max.cometdClients, call.org.cometdClients()),
  });
}
