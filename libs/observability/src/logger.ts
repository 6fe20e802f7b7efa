import { pino, type Logger as PinoLogger } from 'pino';
import type { LoggerService } from '@nestjs/common';

export type Logger = PinoLogger;

/**
 * Structured log of one service, JSON lines on standard output. One line per event worth a person's time.
 * The redaction is a last net: personal data and secrets are never passed to the log in the first place.
 */
export function createLogger(app: string, level: string): Logger {
  return pino({
    level,
    base: { app },
    formatters: { level: (label) => ({ level: label }) },
    redact: ['email', '*.email', 'password', '*.password', 'authorization', '*.authorization', 'apiKey', '*.apiKey'],
  });
}

/** Nest's own messages through our log. */
export function nestLogger(logger: Logger): LoggerService {
  const text = (message: unknown) => (message instanceof Error ? (message.stack ?? message.message) : String(message));
  const context = (rest: unknown[]) => ({ context: rest.filter((part) => typeof part === 'string').at(-1) });
  return {
    log: (message, ...rest: unknown[]) => logger.debug(context(rest), text(message)),
    debug: (message, ...rest: unknown[]) => logger.debug(context(rest), text(message)),
    verbose: (message, ...rest: unknown[]) => logger.trace(context(rest), text(message)),
    warn: (message, ...rest: unknown[]) => logger.warn(context(rest), text(message)),
    error: (message, ...rest: unknown[]) => logger.error(context(rest), text(message)),
    fatal: (message, ...rest: unknown[]) => logger.fatal(context(rest), text(message)),
  };
}
