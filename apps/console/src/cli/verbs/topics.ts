import { AccessRefusedError, allTopics, SyncError } from '@libs/contracts';
import { createEventLog, type TopicResult } from '@libs/event-log';
import { createLogger } from '@libs/observability';
import type { z } from 'zod';
import { printLine } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { topicsSettings } from '../settings.js';
import { table } from '../text.js';
import type { Verb } from './verb.js';

const EMBEDDED =
  'KAFKA_BROKERS is not set: the log is the embedded one, which makes its topics by itself at start. Nothing to do.';

/** What a failure of the brokers means for a person. */
export function toCliError(error: SyncError, brokers: readonly string[]): CliError {
  const where = brokers.join(',');
  if (error instanceof AccessRefusedError) {
    const text = `The brokers at ${where} refuse it (${error.message}): check KAFKA_SASL_* and the right to make topics.`;
    return new CliError(text, exitCodes.failed, { cause: error });
  }
  if (!error.retryable) return new CliError(error.message, exitCodes.failed, { cause: error });
  const text = `The brokers at ${where} do not answer (${error.message}): check KAFKA_BROKERS, KAFKA_SSL and that they run.`;
  return new CliError(text, exitCodes.unreachable, { cause: error });
}

async function applyTopics(
  settings: z.infer<typeof topicsSettings>,
  brokers: readonly string[],
): Promise<readonly TopicResult[]> {
  const log = await createEventLog(settings, { clientId: 'sync-cli', logger: createLogger('sync', 'silent') });
  try {
    return await log.applyTopics(allTopics);
  } catch (error) {
    throw error instanceof SyncError ? toCliError(error, brokers) : error;
  } finally {
    await log.close();
  }
}

/** `sync topics apply`: works on the brokers, without the console. */
export const topics: Verb = (program, run) => {
  program
    .command('topics')
    .description('manage the topics')
    .command('apply')
    .description(
      'make the topics exist with their partitions, replication and retention; idempotent; needs KAFKA_BROKERS',
    )
    .option('--json', 'print JSON for machines')
    .action(
      run(async ({ settings: load, out, notes }, { json }: { readonly json?: boolean }) => {
        const settings = load(topicsSettings);
        const { KAFKA_BROKERS: brokers } = settings;
        if (brokers === undefined) printLine(notes, EMBEDDED);
        const results = brokers === undefined ? [] : await applyTopics(settings, brokers);
        const rows = results.map(({ topic, result }) => [topic, result]);
        if (json === true) printLine(out, JSON.stringify({ topics: results }));
        else for (const line of table(rows, Infinity)) printLine(out, line);
        return exitCodes.ok;
      }),
    );
};
