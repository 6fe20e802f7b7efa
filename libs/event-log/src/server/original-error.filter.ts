import { Catch, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { throwError, type Observable } from 'rxjs';

/**
 * Hands the error of an event handler on as it is. Nest's own filter replaces it by `{status, message}`, so that nobody could
 * tell a failure of the world from a bad record or a bug. HTTP errors are answered as Nest does.
 * Register it before the microservice is connected: `app.useGlobalFilters(new OriginalErrorFilter(app.getHttpAdapter()))`.
 */
@Catch()
export class OriginalErrorFilter extends BaseExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): Observable<never> | void {
    if (host.getType() === 'rpc') return throwError(() => exception);
    // oxlint-disable-next-line promise/valid-params -- a filter's catch, not a promise's
    super.catch(exception, host);
  }
}
