import type { Outcome, Status } from '@libs/contracts';
import { Option } from 'commander';
import type { ConsoleEvent } from '../client.js';
import { printLine, type Context } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { withConsoleOptions, type ConsoleOptions, type Verb } from './verb.js';
import { pause } from '../../pause.js';

const TOPICS = ['status', 'outcomes'] as const;
const RETRY_MS = 1_000;
/** How long the console may be away. Milliseconds. */
const PATIENCE_MS = 30_000;

interface TailOptions extends ConsoleOptions {
  readonly topic?: (typeof TOPICS)[number];
}

const clock = (time: number) => new Date(time).toISOString().slice(11, 19);

/** A status message in one line: the words first, then the counts that are not zero. */
export function statusLine({ id, type, data, time, by }: Status): string {
  const words = Object.entries(data).filter(([, value]) => typeof value === 'string');
  const counts = Object.entries(data).filter(([, value]) => typeof value === 'number' && value !== 0);
  const told = [...words, ...counts].map(([name, value]) => `${name}=${String(value)}`);
  return [clock(time), by, id, type, ...told].join(' ');
}

/** An outcome in one line. */
export function outcomeLine({ recordType, recordId, kind, reason, lane, offsets, time }: Outcome): string {
  const more = offsets.length > 1 ? ` (${offsets.length} changes)` : '';
  return [clock(time), lane, recordType ?? '?', recordId ?? '?', kind, reason ?? ''].join(' ').trimEnd() + more;
}

function print({ out, notes }: Context, event: ConsoleEvent, json: boolean): void {
  if (event.type === 'status') {
    printLine(out, json ? JSON.stringify({ topic: 'status', ...event.data }) : statusLine(event.data));
  } else if (event.type === 'outcomes') {
    for (const item of event.data.items)
      printLine(out, json ? JSON.stringify({ topic: 'outcomes', ...item }) : outcomeLine(item));
    if (event.data.omitted > 0) printLine(notes, `… ${event.data.omitted} outcomes more than can be shown`);
  }
}

/** `sync tail`: what is appended to the status and outcomes topics, as it comes, until Ctrl-C. */
export const tail: Verb = (program, run) => {
  withConsoleOptions(
    program
      .command('tail')
      .description('print status messages and outcomes as they come, one a line, until Ctrl-C')
      .addOption(new Option('--topic <topic>', 'only one of them').choices(TOPICS)),
  ).action(
    run(async (context, { json = false, url, topic }: TailOptions) => {
      const { signal, notes } = context;
      const client = context.client(url);
      let lastHeardMs: number | null = null;
      while (!signal.aborted) {
        try {
          for await (const event of client.events(topic === undefined ? TOPICS : [topic], signal)) {
            lastHeardMs = Date.now();
            print(context, event, json);
          }
          lastHeardMs ??= Date.now();
        } catch (error) {
          if (signal.aborted) break;
          const refused = error instanceof CliError && error.exitCode !== exitCodes.unreachable;
          if (refused || lastHeardMs === null || Date.now() - lastHeardMs > PATIENCE_MS) throw error;
        }
        if (!signal.aborted) printLine(notes, 'The stream ended; connecting again');
        await pause(RETRY_MS, signal);
      }
      return exitCodes.ok;
    }),
  );
};
