import { exportPKCS8, exportSPKI, generateKeyPair, importPKCS8, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTestOrg, type TestOrg } from '../testing/test-org.js';

let org: TestOrg;
let publicKey = '';
let privateKey = '';
beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  publicKey = await exportSPKI(pair.publicKey);
  privateKey = await exportPKCS8(pair.privateKey);
});
afterEach(async () => {
  await org.close();
});

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

async function ask(form: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(`${org.url}/services/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

async function assertion(claims: { iss?: string; sub?: string; aud?: string; exp?: string }): Promise<string> {
  const key = await importPKCS8(privateKey, 'RS256');
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(claims.iss ?? 'sandbox')
    .setSubject(claims.sub ?? 'sandbox')
    .setAudience(claims.aud ?? 'https://login.salesforce.com')
    .setExpirationTime(claims.exp ?? '3m')
    .sign(key);
}

const client = { client_id: 'sandbox', client_secret: 'sandbox' };

describe('the token endpoint', () => {
  it.each([
    ['client credentials', { grant_type: 'client_credentials', ...client }, {}],
    [
      'client credentials by HTTP Basic',
      { grant_type: 'client_credentials' },
      { authorization: `Basic ${Buffer.from('sandbox:sandbox').toString('base64')}` },
    ],
    ['a refresh token', { grant_type: 'refresh_token', refresh_token: 'sandbox', ...client }, {}],
    [
      'a refresh token without secret',
      { grant_type: 'refresh_token', refresh_token: 'sandbox', client_id: 'sandbox' },
      {},
    ],
    ['a password', { grant_type: 'password', username: 'sandbox', password: 'sandbox', ...client }, {}],
  ])('gives a token for %s', async (_what, form, headers) => {
    org = await openTestOrg();
    const { status, body } = await ask(form, headers);
    expect(status).toBe(200);
    expect(body).toMatchObject({ instance_url: org.url, token_type: 'Bearer' });
    expect(body['access_token']).toMatch(/^00D\w{12}!AQ[\w-]{20,}$/);
    expect(body['id']).toMatch(new RegExp(`^${org.url}/id/00D\\w{15}/005\\w{15}$`));
    expect(body['issued_at']).toMatch(/^\d{13}$/);
    expect(body['signature']).toMatch(/^[\w+/]+=*$/);
    expect(body).not.toHaveProperty('expires_in');
    const response = await fetch(`${org.url}/services/oauth2/userinfo`, {
      headers: { authorization: `Bearer ${body['access_token']}` },
    });
    expect(await response.json()).toMatchObject({
      organization_id: expect.stringMatching(/^00D\w{15}$/),
      user_id: body['id']?.split('/').at(-1),
      preferred_username: 'sandbox',
    });
  });

  it.each([
    ['no grant type', {}, 'invalid_request'],
    ['an unknown grant type', { grant_type: 'device', ...client }, 'unsupported_grant_type'],
    [
      'an unknown client',
      { grant_type: 'client_credentials', client_id: 'x', client_secret: 'sandbox' },
      'invalid_client_id',
    ],
    [
      'a wrong secret',
      { grant_type: 'client_credentials', client_id: 'sandbox', client_secret: 'x' },
      'invalid_client',
    ],
    ['a wrong password', { grant_type: 'password', username: 'sandbox', password: 'x', ...client }, 'invalid_grant'],
    ['a wrong refresh token', { grant_type: 'refresh_token', refresh_token: 'x', ...client }, 'invalid_grant'],
    ['no assertion', { grant_type: JWT_BEARER }, 'invalid_grant'],
  ])('refuses %s with an error object', async (_what, form, error) => {
    org = await openTestOrg({ credentials: { jwtPublicKeys: [publicKey] } });
    const { status, body } = await ask(form);
    expect(status).toBe(400);
    expect(body).toEqual({ error, error_description: expect.stringMatching(/\w/) });
  });

  it('takes JWT bearer assertions signed with a registered key', async () => {
    org = await openTestOrg();
    const form = { grant_type: JWT_BEARER, assertion: await assertion({}) };
    expect((await ask(form)).body['error']).toBe('invalid_grant');
    org.sandbox.registerJwtKey(publicKey);
    expect((await ask(form)).status).toBe(200);
    expect((await ask({ ...form, assertion: await assertion({ aud: org.url }) })).status).toBe(200);
  });

  it.each([
    ['another issuer', { iss: 'x' }, 'client identifier invalid'],
    ['another user', { sub: 'x' }, "user hasn't approved this consumer"],
    ['another audience', { aud: 'https://example.com' }, 'audience is invalid'],
    ['an expired one', { exp: '-5m' }, 'expired authorization code'],
    ['one that lives too long', { exp: '1h' }, 'expired authorization code'],
  ])('refuses an assertion of %s', async (_what, claims, description) => {
    org = await openTestOrg({ credentials: { jwtPublicKeys: [publicKey] } });
    const { body } = await ask({ grant_type: JWT_BEARER, assertion: await assertion(claims) });
    expect(body['error_description']).toBe(description);
  });

  it('fails on demand', async () => {
    org = await openTestOrg();
    org.faults.add({
      system: 'salesforce',
      kind: 'oauth-error',
      rate: 1,
      count: 1,
      options: { error: 'inactive_user', description: 'user is inactive' },
    });
    const form = { grant_type: 'client_credentials', ...client };
    expect((await ask(form)).body).toEqual({ error: 'inactive_user', error_description: 'user is inactive' });
    expect((await ask(form)).status).toBe(200);
  });
});

describe('sessions', () => {
  const refusal = [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }];

  it('end by revocation', async () => {
    org = await openTestOrg();
    const token = await org.token();
    const call = () => org.call('GET', '/limits', undefined, { authorization: `Bearer ${token}` });
    expect((await call()).status).toBe(200);
    const revoke = () => fetch(`${org.url}/services/oauth2/revoke?token=${encodeURIComponent(token)}`);
    expect((await revoke()).status).toBe(200);
    expect((await revoke()).status).toBe(400);
    expect(await call()).toMatchObject({ status: 401, body: refusal });
  });

  it('end after two hours without use, on the clock of the sandbox', async () => {
    org = await openTestOrg();
    expect((await org.call('GET', '/limits')).status).toBe(200);
    org.clock.advance(7_000);
    expect((await org.call('GET', '/limits')).status).toBe(200);
    org.clock.advance(7_000);
    expect((await org.call('GET', '/limits')).status).toBe(200);
    org.clock.advance(7_300);
    expect(await org.call('GET', '/limits')).toMatchObject({ status: 401, body: refusal });
  });

  it('end by the fault session-expired', async () => {
    org = await openTestOrg();
    org.faults.add({ system: 'salesforce', kind: 'session-expired', rate: 1, count: 1, options: {} });
    expect(await org.call('GET', '/limits')).toMatchObject({ status: 401, body: refusal });
    expect((await org.call('GET', '/limits')).status).toBe(401);
    expect(org.sandbox.stats().sessions).toBe(0);
  });
});
