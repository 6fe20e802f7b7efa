import { readTextFiles, UnreadableFilesError } from '@libs/config';
import { BadSettingError, SyncError, type ProjectType } from '@libs/contracts';
import {
  createIterableClient,
  EndpointPace,
  parseChannels,
  parseFields,
  parseMessageTypes,
  parseProfile,
  type HttpAnswer,
  type IterableApi,
  type PacedEndpoint,
  type Profile,
  type ProfileKey,
} from '@libs/iterable';
import { mappingFileExtensions, type MappingFile, type ProjectSubscriptions, type SetRules } from '@libs/mapping';
import type { Logger, Metrics } from '@libs/observability';
import { createSalesforceClient, type OrgClient } from '@libs/salesforce';
import type { ConsoleSettings } from './console.config.js';

/** Longest wait for one answer of Iterable, its turn included. Milliseconds. */
const ITERABLE_ANSWER_MS = 30_000;

/** The console was not told how to reach the org or the project. */
export class NotConfiguredError extends SyncError {
  readonly code = 'console.not_configured';
  readonly retryable = false;
}

/**
 * What the mapping routes ask for: the files, the org, the project. Reads only.
 * Errors: {@link NotConfiguredError} naming the settings that the console lacks; those of the clients.
 */
export interface MappingSources {
  readonly directory: string;
  readonly projectType: ProjectType;
  /** What is set beside the mappings and must agree with them. */
  readonly rules: SetRules;
  /** The mapping files as they are now. Errors: {@link NotConfiguredError} when they cannot be read. */
  files(): MappingFile[];
  /** The org; asking it for anything opens a session. */
  readonly salesforce: Pick<OrgClient, 'describe' | 'listObjects' | 'query' | 'queryMore'>;
  /** The project's fields by dotted path, with their types. */
  getFields(): Promise<ReadonlyMap<string, string>>;
  /** What can be unsubscribed from in the project. */
  listSubscriptions(): Promise<ProjectSubscriptions>;
  /** `null`: there is no such profile. */
  getUser(profile: ProfileKey): Promise<Profile | null>;
}

export const MAPPING_SOURCES = Symbol('mapping sources');

export function createMappingSources(
  settings: ConsoleSettings,
  parts: { readonly metrics: Metrics; readonly logger: Logger },
): MappingSources {
  const org = once(() => orgOf(settings, parts));
  const project = once(() => projectOf(settings));
  const pace = new EndpointPace();

  async function read<T>(
    endpoint: PacedEndpoint,
    call: (client: IterableApi, signal: AbortSignal) => Promise<HttpAnswer>,
    parse: (answer: HttpAnswer) => T,
  ): Promise<T> {
    const client = project();
    const signal = AbortSignal.timeout(ITERABLE_ANSWER_MS);
    const answer = await pace.call(endpoint, () => call(client, signal), signal);
    if (answer instanceof Error) throw answer;
    return parse(answer);
  }

  return {
    directory: settings.MAPPINGS_DIR,
    projectType: settings.ITERABLE_PROJECT_TYPE,
    rules: { owners: settings.FAN_OUT_OWNERS, flagsDeleted: settings.ON_DELETE === 'flag' },
    files: () => readMappings(settings.MAPPINGS_DIR),
    salesforce: {
      describe: async (object) => org().describe(object),
      listObjects: async () => org().listObjects(),
      query: async (soql, options) => org().query(soql, options),
      queryMore: async (next, options) => org().queryMore(next, options),
    },
    getFields: () => read('users/getFields', (client, signal) => client.getFields(signal), parseFields),
    async listSubscriptions() {
      const [channels, messageTypes] = await Promise.all([
        read('channels', (client, signal) => client.listChannels(signal), parseChannels),
        read('messageTypes', (client, signal) => client.listMessageTypes(signal), parseMessageTypes),
      ]);
      return { channels: namesById(channels), messageTypes: namesById(messageTypes) };
    },
    getUser: (profile) => read('users/get', (client, signal) => client.getUser(profile, signal), parseProfile),
  };
}

function namesById(items: ReadonlyArray<{ readonly id: number; readonly name: string }>): Map<number, string> {
  return new Map(items.map(({ id, name }) => [id, name]));
}

function readMappings(directory: string): MappingFile[] {
  try {
    return readTextFiles(directory, mappingFileExtensions);
  } catch (error) {
    if (!(error instanceof UnreadableFilesError)) throw error;
    const message = `The console cannot read its mapping files: ${error.message}. Set MAPPINGS_DIR to where the mapper has them.`;
    throw new NotConfiguredError(message, { cause: error });
  }
}

/** Made at the first use: a console that lacks a setting runs, and says so only to whoever needs it. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function orgOf(settings: ConsoleSettings, parts: Parameters<typeof createSalesforceClient>[1]): OrgClient {
  const { SALESFORCE_LOGIN_URL, SALESFORCE_CLIENT_ID } = settings;
  if (SALESFORCE_LOGIN_URL === undefined || SALESFORCE_CLIENT_ID === undefined) {
    throw lacks('the Salesforce org', { SALESFORCE_LOGIN_URL, SALESFORCE_CLIENT_ID });
  }
  try {
    return createSalesforceClient({ ...settings, SALESFORCE_LOGIN_URL, SALESFORCE_CLIENT_ID }, parts);
  } catch (error) {
    if (error instanceof BadSettingError) throw new NotConfiguredError(error.message, { cause: error });
    throw error;
  }
}

function projectOf({ ITERABLE_BASE_URL, ITERABLE_API_KEY }: ConsoleSettings): IterableApi {
  if (ITERABLE_API_KEY === undefined) throw lacks('the Iterable project', { ITERABLE_API_KEY });
  return createIterableClient({
    baseUrl: ITERABLE_BASE_URL,
    apiKey: ITERABLE_API_KEY,
    timeoutMs: ITERABLE_ANSWER_MS,
    userAgent: 'salesforce-iterable-sync',
  });
}

function lacks(what: string, settings: Readonly<Record<string, string | undefined>>): NotConfiguredError {
  const missing = Object.keys(settings).filter((name) => settings[name] === undefined);
  return new NotConfiguredError(
    `The console does not know how to reach ${what}: give it ${missing.join(' and ')}, as the mapper and the writer have (docs/reference/settings.md).`,
  );
}
