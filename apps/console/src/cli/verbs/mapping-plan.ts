import { versionsOf } from '@libs/service';
import { isCostly, startable } from '../../core/mapping-plan.js';
import { formatCount, formatDuration, plural } from '../../core/format.js';
import type { MappingPlanAnswer, PlannedObject, PlanState } from '../../core/plan-answers.js';
import { printLine, type Context } from '../context.js';
import { CliError, exitCodes, type ExitCode } from '../exit-codes.js';
import { readLocalMappings } from '../local-mappings.js';
import { groupOf, MAPPING_GROUP, withConsoleOptions, type ConsoleOptions, type Verb } from './verb.js';

const WORDS: Readonly<Record<PlanState, string>> = {
  done: 'up to date',
  running: 'being backfilled',
  needed: 'needs a backfill',
  unknown: 'cannot be told',
  'not-in-force': 'not in force',
  removed: 'removed here',
};

function costLine({ cost, costUnknown }: PlannedObject): string {
  if (cost === undefined) return `What it costs cannot be told: ${costUnknown ?? 'the org was not asked'}`;
  const calls = `${plural(cost.salesforceCalls, 'call')} of Salesforce`;
  const time = formatDuration(cost.seconds * 1_000);
  return `${plural(cost.records, 'record')}: ${calls}, ${plural(cost.iterableRequests, 'request')} to Iterable, ${time} at its limit, at the least`;
}

/** What is planned, for a person. */
export function planLines(answer: MappingPlanAnswer): string[] {
  const { objects } = answer;
  if (objects.length === 0)
    return ['The mapper has not told which mappings are in force. Is it running? See sync status.'];
  const width = Math.max(...objects.map(({ object }) => object.length));
  const lines = objects.flatMap((one) => [
    `${one.object.padEnd(width)}  ${WORDS[one.state]}: ${one.reason}`,
    ...(isCostly(one) ? [`${' '.repeat(width)}  ${costLine(one)}`] : []),
  ]);
  const unknown = objects.filter(({ state }) => state === 'unknown').map(({ object }) => object);
  if (unknown.length > 0) lines.push('', `If in doubt: sync backfill start --object ${unknown[0]}`);
  return lines;
}

interface PlanOptions extends ConsoleOptions {
  readonly apply?: boolean;
}

interface Started {
  readonly object: string;
  readonly id: string;
}

/** Starts what can be started, if it is wished: by `--apply`, or by an answer on a terminal. */
async function offer(context: Context, answer: MappingPlanAnswer, options: PlanOptions): Promise<readonly Started[]> {
  const { apply = false, json = false, url } = options;
  const { now, later } = startable(answer);
  const say = (line: string) => {
    if (!json) printLine(context.out, line);
  };
  const names = now.join(', ');
  if (now.length > 0 && !apply) {
    const wished = !json && (await context.confirm?.(`Start ${plural(now.length, 'backfill')} (${names})?`));
    if (wished !== true) {
      say('');
      say('To start: sync mapping plan --apply');
      return [];
    }
  }
  const started: Started[] = [];
  const client = context.client(url);
  for (const object of now) {
    const { id } = await client.startBackfill({ object });
    started.push({ object, id });
    say(
      `Started ${formatCount(started.length)} of ${formatCount(now.length)}, ${object}. Follow it: sync backfill watch ${id}`,
    );
  }
  if (later.length > 0) {
    say(
      `Run it again for ${later.join(', ')} once the persons are backfilled: what belongs to them needs their profiles.`,
    );
  }
  return started;
}

async function plan(context: Context, directory: string | undefined, options: PlanOptions): Promise<ExitCode> {
  if (directory !== undefined && options.apply === true) {
    throw new CliError(
      '--apply is for what is in force: ship the files first, then sync mapping plan --apply.',
      exitCodes.usage,
    );
  }
  const versions = directory === undefined ? undefined : versionsOf(readLocalMappings(directory));
  const answer = await context.client(options.url).planMappings({ versions });
  if (options.json !== true) for (const line of planLines(answer)) printLine(context.out, line);
  const started = directory === undefined ? await offer(context, answer, options) : [];
  if (options.json === true) printLine(context.out, JSON.stringify({ ...answer, started }));
  return exitCodes.ok;
}

/** `sync mapping plan`. */
export const mappingPlan: Verb = (program, run) => {
  withConsoleOptions(
    groupOf(program, 'mapping', MAPPING_GROUP)
      .command('plan')
      .argument('[dir]', 'directory of mapping files that are to be shipped (default: what is in force)')
      .description('say which objects need a backfill after a change of their mapping, why and at what cost; offers it')
      .option('--apply', 'start the backfills that are needed, without asking'),
  ).action(run(plan));
};
