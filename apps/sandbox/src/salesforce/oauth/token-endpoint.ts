import { createHmac, createPublicKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { jwtVerify } from 'jose';
import { UnknownNameError } from '../errors.js';
import type { SandboxCredentials } from '../options.js';
import { json, type Reply } from '../http/replies.js';
import type { Sessions } from './sessions.js';

/** The org's identity, as tokens and `userinfo` tell it. */
export interface Identity {
  readonly organizationId: string;
  readonly userId: string;
  readonly username: string;
}

/** A refusal of the token endpoint: an object, unlike the arrays of the REST API. Source: facts/salesforce.md §3.1. */
export const oauthError = (error: string, description: string): Reply =>
  json(400, { error, error_description: description });

/** Longest life of a JWT bearer assertion, seconds; the documents say three minutes, servers forgive some. */
const MAX_ASSERTION_SECONDS = 300;
const CLOCK_SKEW_SECONDS = 60;

/** `POST /services/oauth2/token`: who may have an access token. */
export class TokenEndpoint {
  private readonly publicKeys: KeyObject[];

  constructor(
    private readonly credentials: SandboxCredentials,
    private readonly identity: Identity,
    private readonly sessions: Sessions,
  ) {
    this.publicKeys = credentials.jwtPublicKeys.map(publicKeyOf);
  }

  /** Adds a public key or certificate (PEM) that assertions may be signed with. Throws on anything but an RSA key. */
  registerKey(pem: string): void {
    this.publicKeys.push(publicKeyOf(pem));
  }

  /** Answers a token request. `host` is what the client called, `authorization` its header for HTTP Basic. */
  async answer(form: URLSearchParams, authorization: string | undefined, host: string): Promise<Reply> {
    const grant = form.get('grant_type');
    const [clientId, clientSecret] = clientOf(form, authorization);
    if (grant === null) return oauthError('invalid_request', 'missing required parameter: grant_type');
    if (grant === 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
      const refusal = await this.checkAssertion(form.get('assertion') ?? '', host);
      return refusal ?? this.grant(host, this.credentials.clientId, 'api');
    }
    if (!['client_credentials', 'refresh_token', 'password'].includes(grant)) {
      return oauthError('unsupported_grant_type', 'grant type not supported');
    }
    if (clientId !== this.credentials.clientId) return oauthError('invalid_client_id', 'client identifier invalid');
    // A public client may refresh without its secret.
    const needsSecret = grant !== 'refresh_token' || clientSecret !== '';
    if (needsSecret && !same(clientSecret, this.credentials.clientSecret)) {
      return oauthError('invalid_client', 'invalid client credentials');
    }
    if (grant === 'refresh_token' && !same(form.get('refresh_token') ?? '', this.credentials.refreshToken)) {
      return oauthError('invalid_grant', 'expired access/refresh token');
    }
    if (grant === 'password') {
      const knows =
        same(form.get('username') ?? '', this.credentials.username) &&
        same(form.get('password') ?? '', this.credentials.password);
      if (!knows) return oauthError('invalid_grant', 'authentication failure');
    }
    return this.grant(host, clientId, grant === 'refresh_token' ? 'refresh_token api' : 'api');
  }

  private grant(host: string, clientId: string, scope: string): Reply {
    const { organizationId, userId } = this.identity;
    const session = this.sessions.start(userId, clientId);
    const id = `${host}/id/${organizationId}/${userId}`;
    const issuedAt = String(Date.now());
    const signature = createHmac('sha256', this.credentials.clientSecret)
      .update(id + issuedAt)
      .digest('base64');
    return json(
      200,
      {
        access_token: session.token,
        signature,
        scope,
        instance_url: host,
        id,
        token_type: 'Bearer',
        issued_at: issuedAt,
      },
      { 'cache-control': 'no-cache, no-store', pragma: 'no-cache' },
    );
  }

  private async checkAssertion(assertion: string, host: string): Promise<Reply | null> {
    const { clientId, username } = this.credentials;
    const audience = ['https://login.salesforce.com', 'https://test.salesforce.com', host];
    for (const key of this.publicKeys) {
      try {
        const { payload } = await jwtVerify(assertion, key, {
          algorithms: ['RS256'],
          audience,
          clockTolerance: CLOCK_SKEW_SECONDS,
          requiredClaims: ['iss', 'sub', 'aud', 'exp'],
        });
        if (payload.iss !== clientId) return oauthError('invalid_client_id', 'client identifier invalid');
        if (payload.sub !== username) return oauthError('invalid_grant', "user hasn't approved this consumer");
        const life = (payload.exp ?? 0) - Date.now() / 1000;
        return life > MAX_ASSERTION_SECONDS + CLOCK_SKEW_SECONDS
          ? oauthError('invalid_grant', 'expired authorization code')
          : null;
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') continue;
        if (code === 'ERR_JWT_EXPIRED') return oauthError('invalid_grant', 'expired authorization code');
        if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') {
          return oauthError('invalid_grant', 'audience is invalid');
        }
        return oauthError('invalid_grant', 'invalid assertion');
      }
    }
    return oauthError('invalid_grant', 'invalid assertion');
  }
}

function publicKeyOf(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // Not a key at all: refused below, in the same words.
  }
  throw new UnknownNameError('a JWT bearer key must be the PEM of an RSA public key or certificate');
}

/** Client id and secret, from HTTP Basic when it is there, else from the form. */
function clientOf(form: URLSearchParams, authorization: string | undefined): [string, string] {
  const basic = /^Basic\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return [decodeURIComponent(text.slice(0, colon)), decodeURIComponent(text.slice(colon + 1))];
  }
  return [form.get('client_id') ?? '', form.get('client_secret') ?? ''];
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
