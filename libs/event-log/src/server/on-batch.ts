import { Catch, UseFilters, type ArgumentsHost, type RpcExceptionFilter } from '@nestjs/common';
import type { Topic } from '@libs/contracts';
import { EventPattern } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { Batch, HandlerOptions } from '../batch.js';

/**
 * Hands a handler's error on as it was thrown. Nest's own filter replaces it by `{status, message}`, so that nobody could tell
 * a failure of the world from a bad record or a bug.
 */
@Catch()
class OriginalErrorFilter implements RpcExceptionFilter {
  catch(exception: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => exception);
  }
}

/** What a handler bound by {@link OnBatch} carries as Nest's extras. */
export interface HandlerExtras extends HandlerOptions {
  readonly keepsErrors: true;
}

/**
 * Binds a method to a topic: it gets whole {@link Batch}es. It is Nest's `@EventPattern` with the topic's own type, and with the
 * error of the handler kept as it is, which the error policy needs.
 */
export function OnBatch<T>(topic: Topic<T>, options: HandlerOptions = { commit: 'after-handler' }) {
  const extras: HandlerExtras = { ...options, keepsErrors: true };
  const decorators = [EventPattern(topic.name, extras) as MethodDecorator, UseFilters(new OriginalErrorFilter())];
  return <M extends (batch: Batch<T>) => Promise<void>>(
    target: object,
    key: string | symbol,
    method: TypedPropertyDescriptor<M>,
  ): void => {
    for (const decorate of decorators) decorate(target, key, method);
  };
}
