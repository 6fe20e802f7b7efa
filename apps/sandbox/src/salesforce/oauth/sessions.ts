import { randomBytes } from 'node:crypto';

/** A session: what an access token stands for. */
export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly clientId: string;
  usedAt: number;
}

/** The live access tokens of the org. They end after a time without use or by revocation, and are opaque. */
export class Sessions {
  private readonly byToken = new Map<string, Session>();
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly organizationId: string,
    private readonly now: () => number,
    private readonly idleMs: number,
  ) {}

  /** Starts a session. The token has the form of a real one: org id, `!`, opaque text. */
  start(userId: string, clientId: string): Session {
    const token = `${this.organizationId.slice(0, 15)}!AQ${randomBytes(60).toString('base64url')}`;
    const session = { token, userId, clientId, usedAt: this.now() };
    this.byToken.set(token, session);
    return session;
  }

  /** The session of an `Authorization` header (`Bearer` or `OAuth`), its life extended; `null` when there is none. */
  use(authorization: string | undefined): Session | null {
    const token = /^(?:Bearer|OAuth)\s+(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const session = this.byToken.get(token);
    if (session === undefined) return null;
    if (this.now() - session.usedAt > this.idleMs) {
      this.revoke(token);
      return null;
    }
    session.usedAt = this.now();
    return session;
  }

  /** Extends the life of a session that was not revoked, as a connected CometD client does. */
  extend(token: string): void {
    const session = this.byToken.get(token);
    if (session !== undefined) session.usedAt = this.now();
  }

  /** Whether a token still stands for a session. Does not extend its life. */
  isLive(token: string): boolean {
    const session = this.byToken.get(token);
    return session !== undefined && this.now() - session.usedAt <= this.idleMs;
  }

  /** Ends a session. Answers whether there was one. */
  revoke(token: string): boolean {
    const ended = this.byToken.delete(token);
    if (ended) for (const listener of this.listeners) listener();
    return ended;
  }

  /** Ends every session. Answers how many there were. */
  revokeAll(): number {
    const count = this.byToken.size;
    this.byToken.clear();
    for (const listener of this.listeners) listener();
    return count;
  }

  /** Calls back after sessions ended. */
  onRevoked(listener: () => void): void {
    this.listeners.add(listener);
  }

  get live(): number {
    return this.byToken.size;
  }
}
