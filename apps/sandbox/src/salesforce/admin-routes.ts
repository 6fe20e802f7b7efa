import { Router, type RequestHandler } from 'express';
import { z } from 'zod';
import { SalesforceError, UnknownNameError } from './errors.js';
import { changeTypes } from './events/change-event.js';
import type { SalesforceSandbox } from './sandbox.js';
import type { Traffic } from './seed/traffic.js';

const name = z.string().min(1);
const ids = z.array(z.string().min(1)).min(1).max(2_000);

/** `POST /events`: one event as it is, e.g. a gap or an overflow. */
const eventRequest = z.strictObject({
  entity: name,
  changeType: z.enum(changeTypes),
  recordIds: ids,
  commitTimestamp: z.number().int().min(0).optional(),
  changedFields: z.array(name).optional(),
  changeOrigin: z.string().optional(),
});
const recordsRequest = z.strictObject({ object: name, ids });
const fieldRequest = z.strictObject({ object: name, field: name, visible: z.boolean() });
const keyRequest = z.strictObject({ publicKey: z.string().includes('-----BEGIN', 'must be a PEM') });
const trafficRequest = z.strictObject({ perSecond: z.number().min(0).max(200) });

/** The paths of {@link salesforceAdminRoutes}, for a list of routes. */
export const salesforceAdminPaths = [
  'POST /salesforce/events',
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

  const post = (path: string, work: (body: unknown) => object) => {
    const handler: RequestHandler = (request, response) => {
      try {
        response.json(work(request.body));
      } catch (error) {
        if (!(error instanceof SalesforceError || error instanceof UnknownNameError)) throw error;
        response.status(400).json({ error: error.message });
      }
    };
    router.post(path, handler);
  };

  post('/events', (body) => ({ replayId: sandbox.emit(eventRequest.parse(body)) }));
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
