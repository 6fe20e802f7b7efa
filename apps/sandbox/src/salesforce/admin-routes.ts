import { setImmediate } from 'node:timers/promises';
import { Router, type Response } from 'express';
import {
  channelRequest,
  conversionRequest,
  eventRequest,
  fieldRequest,
  keyRequest,
  limitsRequest,
  massRequest,
  mergeRequest,
  recordsRequest,
  stormRequest,
  trafficRequest,
  writeRequest,
} from './admin-requests.js';
import { SalesforceError, UnknownNameError } from './errors.js';
import type { SalesforceSandbox } from './sandbox.js';
import type { Traffic } from './seed/traffic.js';

/** The paths of {@link salesforceAdminRoutes}, for a list of routes. */
export const salesforceAdminPaths = [
  'POST /salesforce/events',
  'POST /salesforce/records',
  'POST /salesforce/convert',
  'POST /salesforce/merge',
  'POST /salesforce/mass',
  'POST /salesforce/storm',
  'POST /salesforce/channels',
  'POST /salesforce/limits',
  'POST /salesforce/undelete',
  'POST /salesforce/purge',
  'POST /salesforce/fields',
  'POST /salesforce/jwt-keys',
  'POST /salesforce/traffic',
  'POST /salesforce/sessions/revoke',
  'POST /salesforce/cometd/drop',
  'POST /salesforce/pubsub/drop',
] as const;

/**
 * What an administrator or the world does to the org and no client can: mounted at `/salesforce` of the admin API, after a
 * JSON body parser. A wrong shape throws `ZodError`; an unknown object or a refused write answers 400 `{error}`.
 */
export function salesforceAdminRoutes(sandbox: SalesforceSandbox): Router {
  const router = Router();
  let traffic: Traffic | null = null;

  const answer = async (response: Response, work: () => object | Promise<object>): Promise<void> => {
    try {
      response.json(await work());
    } catch (error) {
      if (!(error instanceof SalesforceError || error instanceof UnknownNameError)) throw error;
      response.status(400).json({ error: error.message });
    }
  };
  const post = (path: string, work: (body: unknown) => object | Promise<object>) => {
    // Express 5 takes the promise and passes its error on.
    router.post(path, (request, response) => answer(response, () => work(request.body)));
  };

  post('/events', (body) => ({ replayId: sandbox.emit(eventRequest.parse(body)) }));
  post('/records', (body) => {
    const { userId, client, ...asked } = writeRequest.parse(body);
    const who = { userId, client };
    if (asked.kind === 'create') return { ids: sandbox.records.create(asked.object, asked.records, who) };
    if (asked.kind === 'update') {
      sandbox.records.update(asked.object, asked.records, who);
      return { updated: asked.records.length };
    }
    sandbox.records.remove(asked.object, asked.ids, who);
    return { deleted: asked.ids.length };
  });
  post('/convert', (body) => {
    const { userId, client, ...asked } = conversionRequest.parse(body);
    return sandbox.convertLead(asked, { userId, client });
  });
  post('/merge', (body) => {
    const { object, winner, losers, values, ...who } = mergeRequest.parse(body);
    sandbox.merge(object, winner, losers, values, who);
    return { winner, merged: losers.length };
  });
  post('/mass', (body) => {
    const { userId, client, ...asked } = massRequest.parse(body);
    return { records: sandbox.massChange(asked, { userId, client }) };
  });
  post('/storm', async (body) => {
    const { userId, client, background, ...asked } = stormRequest.parse(body);
    const startedAt = performance.now();
    const storm = sandbox.storm(asked, { userId, client });
    if (background) {
      // What is refused at once is told; later nobody listens.
      await Promise.race([storm, setImmediate()]);
      storm.catch(() => {});
      return { started: true };
    }
    const made = await storm;
    return { ...made, seconds: Math.round(performance.now() - startedAt) / 1000 };
  });
  post('/channels', (body) => ({ channel: sandbox.defineChannel(channelRequest.parse(body)) }));
  post('/limits', (body) => {
    const asked = limitsRequest.parse(body);
    sandbox.setLimits(asked);
    return asked;
  });
  post('/undelete', (body) => {
    const asked = recordsRequest.parse(body);
    sandbox.records.undelete(asked.object, asked.ids);
    return { undeleted: asked.ids.length };
  });
  post('/purge', (body) => {
    const asked = recordsRequest.parse(body);
    return { purged: sandbox.records.purge(asked.object, asked.ids) };
  });
  post('/fields', (body) => {
    const asked = fieldRequest.parse(body);
    sandbox.setFieldVisible(asked.object, asked.field, asked.visible);
    return asked;
  });
  post('/jwt-keys', (body) => {
    sandbox.registerJwtKey(keyRequest.parse(body).publicKey);
    return { registered: true };
  });
  post('/traffic', (body) => {
    const { perSecond } = trafficRequest.parse(body);
    traffic?.stop();
    traffic = perSecond > 0 ? sandbox.startTraffic({ perSecond }) : null;
    return { perSecond };
  });
  post('/sessions/revoke', () => ({ revoked: sandbox.revokeTokens() }));
  post('/cometd/drop', () => ({ dropped: sandbox.dropCometdClients() }));
  post('/pubsub/drop', () => ({ dropped: sandbox.dropPubSubStreams() }));
  return router;
}
