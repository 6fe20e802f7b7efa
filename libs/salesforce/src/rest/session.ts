import type { SalesforceSettings } from '@libs/config';
import type { Logger } from '@libs/observability';
import { Connection } from 'jsforce';
import { z } from 'zod';
import { SalesforceUnavailableError } from '../errors.js';
import type { Send } from './http.js';
import { createGrant } from './oauth.js';

/** How this client names itself to the org (`changeOrigin … client=`), so that echoes of our own could be told apart. */
export const CLIENT_NAME = 'salesforce-iterable-sync';

/** Longest wait for a token. Milliseconds. */
const TOKEN_DEADLINE_MS = 30_000;

/** An access token and a jsforce connection that carries it. Never changed: a renewed session is a new one. */
export interface Session {
  readonly connection: Connection;
  readonly organizationId: string;
  readonly userId: string;
  readonly instanceUrl: string;
}

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  instance_url: z.url({ protocol: /^https?$/ }),
  /** `https://host/id/<organization>/<user>` */
  id: z.string().regex(/\/[0-9A-Za-z]{15,18}\/[0-9A-Za-z]{15,18}$/),
  refresh_token: z.string().min(1).optional(),
});

/** The session of one process: opened when first needed, renewed when refused, one token request in flight at a time. */
export interface Sessions {
  /** The session in use, or a new one. */
  current(): Promise<Session>;
  /** A session other than `refused`: the one that somebody has renewed meanwhile, or a new one. */
  renew(refused: Session): Promise<Session>;
  /** Forgets a refused session: the next `current` opens a new one. */
  discard(refused: Session): void;
}

export function createSessions(settings: SalesforceSettings, send: Send, logger?: Logger): Sessions {
  const grant = createGrant(settings);
  const tokenUrl = new URL('services/oauth2/token', `${new URL(settings.SALESFORCE_LOGIN_URL).origin}/`).href;
  let session: Session | null = null;
  let opening: Promise<Session> | null = null;
  let refreshToken: string | undefined;

  async function open(): Promise<Session> {
    const answer = await send({
      method: 'POST',
      url: tokenUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(await grant({ refreshToken })).toString(),
      doing: 'asking for an access token',
      deadlineMs: TOKEN_DEADLINE_MS,
    });
    const token = tokenAnswer.safeParse(parseJson(answer.body));
    if (!token.success) {
      const fields = token.error.issues.map((issue) => issue.path.join('.')).join(', ');
      throw new SalesforceUnavailableError(`asking for an access token: unreadable answer (${fields})`);
    }
    const { access_token: accessToken, instance_url: instanceUrl, id } = token.data;
    if (token.data.refresh_token !== undefined && token.data.refresh_token !== refreshToken) {
      if (settings.SALESFORCE_AUTH === 'refresh-token') {
        logger?.warn(
          'the org rotates refresh tokens: the configured SALESFORCE_REFRESH_TOKEN will not open the next start',
        );
      }
      refreshToken = token.data.refresh_token;
    }
    const [organizationId = '', userId = ''] = id.split('/').slice(-2);
    return {
      organizationId,
      userId,
      instanceUrl: new URL(instanceUrl).origin,
      // No refreshFn: on a token that is refused again and again jsforce would renew and repeat without end
      connection: new Connection({
        instanceUrl: new URL(instanceUrl).origin,
        accessToken,
        version: settings.SALESFORCE_API_VERSION,
        callOptions: { client: CLIENT_NAME },
      }),
    };
  }

  function openOnce(): Promise<Session> {
    opening ??= open()
      .then((opened) => {
        session = opened;
        return opened;
      })
      .finally(() => {
        opening = null;
      });
    return opening;
  }

  const current = async () => session ?? (await openOnce());
  const discard = (refused: Session) => {
    if (session === refused) session = null;
  };
  return {
    current,
    discard,
    renew: async (refused) => {
      discard(refused);
      return current();
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
