import { stringify } from 'yaml';
import { z } from 'zod';
import { apiRoutes, type ApiRoute } from '../../../console/src/api.routes.js';
import { errorAnswer } from '../../../console/src/core/answers.js';
import type { Page } from './page.js';

function jsonSchema(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

const ERRORS: Readonly<Record<number, string>> = {
  400: 'The request is not understood; the message names every problem.',
  401: 'The token is missing or wrong.',
  404: 'There is no such thing.',
  503: 'The log cannot be reached; try again.',
};

const errorRef = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
const errorResponses = (codes: readonly number[]) =>
  Object.fromEntries(codes.map((status) => [String(status), { description: ERRORS[status], content: errorRef }]));

function queryParameters(query: z.ZodObject | undefined) {
  if (query === undefined) return [];
  const { properties = {} } = jsonSchema(query, 'input');
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

const pathParameters = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

function contentOf({ answer, events }: ApiRoute) {
  if (events === undefined) return { 'application/json': { schema: jsonSchema(answer, 'output') } };
  const told = Object.keys(events).map((name) => `\`${name}\`: #/components/schemas/event.${name}`);
  return {
    'text/event-stream': {
      schema: { type: 'string', description: `Events by name, data as JSON. ${told.join('; ')}.` },
    },
  };
}

function operation(operationId: string, route: ApiRoute) {
  const parameters = [...pathParameters(route.path), ...queryParameters(route.query)];
  return {
    operationId,
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(route.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(route.body, 'input') } } },
    }),
    responses: {
      [String(route.status)]: {
        description: route.status === 202 ? 'The command is sent.' : 'The answer.',
        content: contentOf(route),
      },
      ...errorResponses([...new Set([401, ...route.mayAnswer])].toSorted((a, b) => a - b)),
    },
  };
}

/** docs/reference/openapi.yaml: the console's API, from the schemas that it answers with. */
export function openApiPage(version: string): Page {
  const routes: ReadonlyArray<readonly [string, ApiRoute]> = Object.entries(apiRoutes);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [id, route] of routes) (paths[route.path] ??= {})[route.method] = operation(id, route);
  const eventSchemas = routes.flatMap(([, { events = {} }]) =>
    Object.entries(events).map(([name, schema]) => [`event.${name}`, jsonSchema(schema, 'output')] as const),
  );
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Console of salesforce-iterable-sync',
      version,
      description: 'Made from code by npm run docs; do not edit.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:3000', description: 'HTTP_HOST and HTTP_PORT of the console' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'CONSOLE_TOKEN, else the file console-token in DATA_DIR.',
        },
      },
      schemas: { Error: jsonSchema(errorAnswer, 'output'), ...Object.fromEntries(eventSchemas) },
    },
  };
  return {
    path: 'docs/reference/openapi.yaml',
    content: stringify(document, { aliasDuplicateObjects: false, lineWidth: 120 }),
  };
}
