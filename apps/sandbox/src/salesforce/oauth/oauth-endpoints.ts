import type { IncomingMessage } from 'node:http';
import { readBody } from '../http/read-body.js';
import { errorReply, htmlReply, json, type Reply } from '../http/replies.js';
import type { Org } from '../org.js';
import { oauthError } from './token-endpoint.js';
import { strike } from '../fault-kinds.js';

const MAX_FORM_BYTES = 64 * 1024;

/** Answers `/services/oauth2/…` and `/id/…`; `null` for any other path. */
export async function oauthEndpoints(org: Org, request: IncomingMessage, url: URL): Promise<Reply | null> {
  const host = `http://${request.headers.host ?? ''}`;
  const { method } = request;
  if (url.pathname === '/services/oauth2/token') {
    if (method !== 'POST') return htmlReply(405, 'Method Not Allowed');
    const fault = strike(org.faults, 'oauth-error', url.pathname);
    if (fault !== null) return oauthError(fault.error, fault.description);
    return org.tokens.answer(await form(request, url), request.headers.authorization, host);
  }
  if (url.pathname === '/services/oauth2/revoke') {
    const token = (await form(request, url)).get('token') ?? '';
    return org.sessions.revoke(token)
      ? { status: 200 }
      : oauthError('unsupported_token_type', 'this token type is not supported');
  }
  const isIdentity = url.pathname.startsWith('/id/');
  if (!isIdentity && url.pathname !== '/services/oauth2/userinfo') return null;
  if (org.sessions.use(request.headers.authorization) === null) {
    return isIdentity
      ? htmlReply(403, 'Bad_OAuth_Token')
      : errorReply(401, [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }]);
  }
  return json(200, identity(org, host));
}

function identity(org: Org, host: string) {
  const { organizationId, userId, username } = org.identity;
  const user = org.store.get(org.schema.object('User') ?? never(), userId);
  const id = `${host}/id/${organizationId}/${userId}`;
  return {
    sub: id,
    id,
    user_id: userId,
    organization_id: organizationId,
    preferred_username: username,
    username,
    name: user?.['Name'] ?? username,
    display_name: user?.['Name'] ?? username,
    email: user?.['Email'] ?? null,
    active: true,
    user_type: 'STANDARD',
    language: 'en_US',
    locale: 'en_US',
    zoneinfo: 'GMT',
    urls: {
      rest: `${host}/services/data/v{version}/`,
      sobjects: `${host}/services/data/v{version}/sobjects/`,
      query: `${host}/services/data/v{version}/query/`,
    },
  };
}

async function form(request: IncomingMessage, url: URL): Promise<URLSearchParams> {
  const body = request.method === 'POST' ? await readBody(request, MAX_FORM_BYTES) : '';
  const parameters = new URLSearchParams(body);
  for (const [name, value] of url.searchParams) if (!parameters.has(name)) parameters.set(name, value);
  return parameters;
}

function never(): never {
  throw new Error('the org has no User object');
}
