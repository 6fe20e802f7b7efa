import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SalesforceSettings } from '@libs/config';
import { BadSettingError } from '@libs/contracts';
import { SignJWT } from 'jose';

/** The form of one token request. */
export type TokenRequest = Readonly<Record<string, string>>;

/** Says how to ask for a token; `refreshToken` is the newest one that the org handed out, if it rotates them. */
export type Grant = (state: { readonly refreshToken?: string | undefined }) => Promise<TokenRequest>;

/** The configured OAuth flow lacks a setting, or cannot use one. */
export class SalesforceSettingError extends BadSettingError {
  override readonly name = 'SalesforceSettingError';
}

/** Salesforce takes assertions that end within about three minutes. Seconds. Source: facts/salesforce.md §3.1. */
const ASSERTION_SECONDS = 150;

function required(settings: SalesforceSettings, names: ReadonlyArray<keyof SalesforceSettings>): string[] {
  const missing = names.filter((name) => settings[name] === undefined || settings[name] === '');
  if (missing.length > 0) {
    throw new SalesforceSettingError(`${missing.join(', ')} required for SALESFORCE_AUTH=${settings.SALESFORCE_AUTH}`);
  }
  return names.map((name) => settings[name] as string);
}

/** A PEM key, PKCS#8 or PKCS#1; `\n` written out is taken for a line break, as environment files have it. */
function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem.replaceAll('\\n', '\n'));
  } catch (error) {
    throw new SalesforceSettingError('SALESFORCE_PRIVATE_KEY is not a PEM private key', { cause: error });
  }
}

/**
 * The configured OAuth flow. SOAP login is never used: it ends with Summer '27 and is off in new orgs.
 * Errors: {@link SalesforceSettingError} naming the setting that the flow lacks, at once, since waiting does not mend it.
 */
export function createGrant(settings: SalesforceSettings, now: () => number = Date.now): Grant {
  const client = { client_id: settings.SALESFORCE_CLIENT_ID };
  switch (settings.SALESFORCE_AUTH) {
    case 'client-credentials': {
      const [secret = ''] = required(settings, ['SALESFORCE_CLIENT_SECRET']);
      return async () => ({ grant_type: 'client_credentials', ...client, client_secret: secret });
    }
    case 'password': {
      const [secret = '', username = '', password = ''] = required(settings, [
        'SALESFORCE_CLIENT_SECRET',
        'SALESFORCE_USERNAME',
        'SALESFORCE_PASSWORD',
      ]);
      return async () => ({ grant_type: 'password', ...client, client_secret: secret, username, password });
    }
    case 'refresh-token': {
      const [given = ''] = required(settings, ['SALESFORCE_REFRESH_TOKEN']);
      const secret = settings.SALESFORCE_CLIENT_SECRET;
      return async ({ refreshToken }) => ({
        grant_type: 'refresh_token',
        ...client,
        ...(secret === undefined ? {} : { client_secret: secret }),
        refresh_token: refreshToken ?? given,
      });
    }
    case 'jwt':
    default: {
      const [username = '', pem = ''] = required(settings, ['SALESFORCE_USERNAME', 'SALESFORCE_PRIVATE_KEY']);
      const key = privateKey(pem);
      const audience = new URL(settings.SALESFORCE_LOGIN_URL).origin;
      return async () => ({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: await new SignJWT()
          .setProtectedHeader({ alg: 'RS256' })
          .setIssuer(settings.SALESFORCE_CLIENT_ID)
          .setSubject(username)
          .setAudience(audience)
          .setExpirationTime(Math.floor(now() / 1000) + ASSERTION_SECONDS)
          .sign(key),
      });
    }
  }
}
