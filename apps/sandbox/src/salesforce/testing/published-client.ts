import { registerHooks } from 'node:module';

/**
 * Loads `salesforce-pubsub-api-client`. Its decoder, avro-js 1.12.2, requires `underscore` for an API that it deprecated and
 * does not declare it; nothing of it is called here, so that an empty module stands in where it is not installed.
 */
export async function loadPublishedClient(): Promise<typeof import('salesforce-pubsub-api-client').default> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'underscore' ? { url: 'node:url', shortCircuit: true } : next(specifier, context),
  });
  try {
    return (await import('salesforce-pubsub-api-client')).default;
  } finally {
    hooks.deregister();
  }
}
