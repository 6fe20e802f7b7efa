import { Catch, HttpException, HttpStatus, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { SyncError } from '@libs/contracts';
import { describeMistake, MappingFilesError } from '@libs/mapping';
import type { Logger } from '@libs/observability';
import type { Response } from 'express';
import { ZodError } from 'zod';
import type { ErrorAnswer } from './core/answers.js';

export const LOGGER = Symbol('logger');

interface Answer {
  readonly status: number;
  readonly error: ErrorAnswer['error'];
}

const CODES: Readonly<Record<number, string>> = {
  [HttpStatus.UNAUTHORIZED]: 'console.unauthorized',
  [HttpStatus.NOT_FOUND]: 'console.not_found',
};

/** A failure of the body parser: too large, wrong encoding. */
function isHttpError(error: unknown): error is Error & { readonly status: number } {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500;
}

/** What a failed request is answered. Total; an error of ours or a foreign one never shows its inside. */
export function toErrorAnswer(error: unknown): Answer {
  if (error instanceof ZodError) {
    const problems = error.issues.map(({ path, message }) =>
      path.length > 0 ? `${path.join('.')}: ${message}` : message,
    );
    return { status: 400, error: { code: 'console.bad_request', message: problems.join('; '), problems } };
  }
  if (error instanceof HttpException && error.getStatus() < 500) {
    const status = error.getStatus();
    return { status, error: { code: CODES[status] ?? 'console.bad_request', message: error.message } };
  }
  if (isHttpError(error))
    return { status: error.status, error: { code: 'console.bad_request', message: error.message } };
  if (error instanceof MappingFilesError) {
    const problems = error.mistakes.map(describeMistake);
    return { status: 400, error: { code: 'console.mapping_files_refused', message: error.message, problems } };
  }
  if (error instanceof SyncError) {
    return { status: error.retryable ? 503 : 400, error: { code: error.code, message: error.message } };
  }
  return { status: 500, error: { code: 'console.internal', message: 'The console failed; its log says more.' } };
}

/** Every failed request of the API in one form. */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Pick<Logger, 'error'>) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const { status, error } = toErrorAnswer(exception);
    if (status === 500) this.logger.error({ err: exception }, 'answering a request failed');
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) response.end();
    else response.status(status).json({ error } satisfies ErrorAnswer);
  }
}
