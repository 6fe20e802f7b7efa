import { Presets, SingleBar } from 'cli-progress';
import { finalStates, type Job } from '../core/answers.js';
import { formatDuration, jobTitle } from '../core/format.js';
import { doneOf } from '../core/jobs.js';
import type { ConsoleClient } from './client.js';
import { printLine, type Context } from './context.js';
import { CliError, exitCodes, type ExitCode } from './exit-codes.js';
import { jobEnd, jobProgress } from './text.js';
import { pause } from '../pause.js';

const POLL_MS = 500;
/** Off a terminal a line is printed at most so often. Milliseconds. */
const LINE_MS = 5_000;
/** How long the console may be away. Milliseconds. */
const PATIENCE_MS = 30_000;
/** How long the console may not know a job yet: one that was just started is read back from the log. Milliseconds. */
const UNKNOWN_MS = 1_000;
const JUST_STARTED_MS = 10_000;

/** Shows a job's progress as it comes. */
interface Display {
  show(job: Job): void;
  end(): void;
}

function barDisplay(stream: NodeJS.WritableStream): Display {
  const format =
    '{bar} {percentage}% | {value}/{total} | queried {queried} enqueued {enqueued} written {written} skipped {skipped} dead {dead} | {rate} | {left}';
  const bar = new SingleBar(
    { format, stream, hideCursor: true, linewrap: false, gracefulExit: false, emptyOnZero: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    show({ progress, ratePerSecond, etaMs }) {
      const total = progress?.total ?? progress?.queried;
      if (total === undefined) return; // not answered yet
      const { queried = 0, enqueued = 0, written = 0, skipped = 0, dead = 0 } = progress ?? {};
      const rate = ratePerSecond === null ? '–/s' : `${Math.round(ratePerSecond)}/s`;
      const left = etaMs === null ? '' : `${formatDuration(etaMs)} left`;
      const payload = { queried, enqueued, written, skipped, dead, rate, left };
      if (started) {
        bar.setTotal(total);
        bar.update(doneOf(progress), payload);
      } else {
        bar.start(total, doneOf(progress), payload);
        started = true;
      }
    },
    end: () => bar.stop(),
  };
}

function lineDisplay(stream: NodeJS.WritableStream): Display {
  let last = '';
  let lastMs = 0;
  return {
    show(job) {
      const line = `${job.state}: ${jobProgress(job)}`;
      if (line === last || Date.now() - lastMs < LINE_MS) return;
      last = line;
      lastMs = Date.now();
      printLine(stream, line);
    },
    end: () => undefined,
  };
}

/** One JSON document a line, for each change. */
function jsonDisplay(stream: NodeJS.WritableStream): Display {
  let last = '';
  return {
    show(job) {
      const line = JSON.stringify(job);
      if (line !== last) printLine(stream, line);
      last = line;
    },
    end: () => undefined,
  };
}

/** Asks for the job again and again; a console that is away for a short time is waited for. Ends at the job's end or Ctrl-C. */
async function* follow(client: ConsoleClient, id: string, unknownMs: number, signal: AbortSignal): AsyncGenerator<Job> {
  const startedMs = Date.now();
  let lastHeardMs = startedMs;
  let known = false;
  while (!signal.aborted) {
    try {
      const job = await client.backfill(id);
      lastHeardMs = Date.now();
      if (job !== null) {
        known = true;
        yield job;
        if (finalStates.has(job.state)) return;
      } else if (known || Date.now() - startedMs > unknownMs) {
        throw new CliError(
          `The console knows no backfill ${id}: sync backfill list shows the known ones.`,
          exitCodes.failed,
        );
      }
    } catch (error) {
      const away = error instanceof CliError && error.exitCode === exitCodes.unreachable;
      // A console that never answered is not there; one that did may be restarting.
      if (!away || !known || Date.now() - lastHeardMs > PATIENCE_MS) throw error;
    }
    await pause(POLL_MS, signal);
  }
}

/** The exit code of a job as it stands. */
function exitCodeOf({ state }: Job): ExitCode {
  return state === 'rejected' || state === 'failed' ? exitCodes.failed : exitCodes.ok;
}

/**
 * Follows a job to its end: a bar on a terminal, lines elsewhere, JSON lines with `json`. Ctrl-C only stops watching.
 * `justStarted`: the console may not have read its command yet.
 */
export async function watchJob(
  context: Context,
  client: ConsoleClient,
  id: string,
  { json, justStarted = false }: { readonly json: boolean; readonly justStarted?: boolean },
): Promise<ExitCode> {
  const { out, notes, signal } = context;
  const display = json ? jsonDisplay(out) : notes.isTTY === true ? barDisplay(notes) : lineDisplay(out);
  let last: Job | null = null;
  try {
    for await (const job of follow(client, id, justStarted ? JUST_STARTED_MS : UNKNOWN_MS, signal)) {
      if (last === null && !json) printLine(notes, `Watching ${jobTitle(job)} (${id})`);
      last = job;
      // A refused job has no progress to show.
      if (json || job.state !== 'rejected') display.show(job);
    }
  } finally {
    display.end();
  }
  if (last !== null && finalStates.has(last.state)) {
    if (!json) printLine(out, jobEnd(last));
    return exitCodeOf(last);
  }
  const what = last?.redrive === undefined ? 'backfill' : 'redrive';
  printLine(notes, `No longer watching; the ${what} goes on. Watch it again: sync backfill watch ${id}`);
  return exitCodes.ok;
}

/** How long a command that was sent waits for its answer. Milliseconds. */
const ANSWER_MS = 10_000;

/** The job once its command is answered; `null` when nobody answers in time. */
async function awaitAnswer(client: ConsoleClient, id: string, signal: AbortSignal): Promise<Job | null> {
  const deadline = Date.now() + ANSWER_MS;
  while (Date.now() < deadline && !signal.aborted) {
    const job = await client.backfill(id);
    if (job !== null && job.state !== 'sent') return job;
    await pause(POLL_MS, signal);
  }
  return null;
}

/** After the command that makes a job was sent: follows the job to its end with `watch`, else says whether it was accepted. */
export async function followSent(
  context: Context,
  client: ConsoleClient,
  id: string,
  { json, watch }: { readonly json: boolean; readonly watch: boolean },
): Promise<ExitCode> {
  if (watch) return watchJob(context, client, id, { json, justStarted: true });
  const job = await awaitAnswer(client, id, context.signal);
  const tell = (line: string) => printLine(context.out, line);
  if (json) tell(JSON.stringify(job ?? { id, state: 'sent' }));
  else if (job === null)
    tell(`Sent as ${id}; nobody has answered yet. Is the backfill service running? See sync status.`);
  else if (exitCodeOf(job) === exitCodes.failed) tell(jobEnd(job));
  else tell(`Started ${jobTitle(job)}: ${jobProgress(job)}. Follow it: sync backfill watch ${id}`);
  return job === null ? exitCodes.ok : exitCodeOf(job);
}
