import { allTopics, SyncError } from '@libs/contracts';
import { createEventLog } from '@libs/event-log';
import { createLogger } from '@libs/observability';
import { printLine } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { topicsSettings } from '../settings.js';
import { table } from '../text.js';
import type { Verb } from './verb.js';

const EMBEDDED =
  'KAFKA_BROKERS is not set: the log is the embedded one, which makes its topics by itself at start. Nothing to do.';

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
        if (settings.KAFKA_BROKERS === undefined) {
          printLine(notes, EMBEDDED);
          if (json === true) printLine(out, JSON.stringify({ topics: [] }));
          return exitCodes.ok;
        }
        const log = await createEventLog(settings, { clientId: 'sync-cli', logger: createLogger('sync', 'silent') });
        try {
          const results = await log.applyTopics(allTopics);
          if (json === true) printLine(out, JSON.stringify({ topics: results }));
          else
            for (const line of table(
              results.map(({ topic, result }) => [topic, result]),
              Infinity,
            ))
              printLine(out, line);
          return exitCodes.ok;
        } catch (error) {
          if (!(error instanceof SyncError)) throw error;
          throw new CliError(error.message, error.retryable ? exitCodes.unreachable : exitCodes.failed, {
            cause: error,
          });
        } finally {
          await log.close();
        }
      }),
    );
};
