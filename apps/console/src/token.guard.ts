import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

export const TOKEN = Symbol('console token');

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Is it the token? Takes the same time for any guess: digests of equal length are compared. */
export function isToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

/** Lets only requests with `Authorization: Bearer <token>` pass. */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(@Inject(TOKEN) private readonly token: string) {}

  canActivate(context: ExecutionContext): boolean {
    const header = context.switchToHttp().getRequest<Request>().headers.authorization ?? '';
    const [, given = ''] = /^Bearer +(\S+) *$/i.exec(header) ?? [];
    if (isToken(given, this.token)) return true;
    throw new UnauthorizedException(
      'A token is needed: send "Authorization: Bearer <token>", the value of CONSOLE_TOKEN, else of the file console-token in DATA_DIR.',
    );
  }
}
