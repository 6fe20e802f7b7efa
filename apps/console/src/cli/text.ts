import { outcomeKinds } from '@libs/contracts';
import type { ApiAnswers } from '../api.routes.js';
import type { Job, ObjectFlow, StageView } from '../core/answers.js';
import { formatCount, formatDuration, jobTitle, plural } from '../core/format.js';
import { doneOf } from '../core/jobs.js';

/** Rows as aligned columns; a column of numbers is right-aligned. Trailing blanks are left out. */
export function table(rows: ReadonlyArray<readonly string[]>, rightFrom = 1): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column >= rightFrom ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
}

function stageRow({ name, state, ratePerSecond, rateUnit, waiting, detail }: StageView): string[] {
  return [
    name,
    state,
    ratePerSecond === null ? '' : `${rate(ratePerSecond)} ${rateUnit}/s`,
    waiting === null ? '' : `${formatCount(waiting)} waiting`,
    detail ?? '',
  ];
}

function objectRow({ object, lastMinute, total, newestSynced, latency }: ObjectFlow, now: number): string[] {
  return [
    object,
    ...[
      lastMinute.written,
      total.written,
      total.superseded,
      (total.skipped ?? 0) + (total.filtered ?? 0),
      total.dead,
    ].map((count) => formatCount(count ?? 0)),
    newestSynced === null ? '–' : `${formatDuration(now - newestSynced)} ago`,
    latency === null ? '–' : `${formatDuration(latency.p50Ms)} / ${formatDuration(latency.p99Ms)}`,
  ];
}

/** How far a job is, in one line without its title. */
export function jobProgress({ state, progress, ratePerSecond, etaMs, reason, summary }: Job): string {
  if (state === 'rejected' || state === 'failed') return reason ?? state;
  if (state === 'completed' && summary !== undefined) return summary;
  const done = doneOf(progress);
  const parts = [
    progress?.total === undefined
      ? `${formatCount(done)} done`
      : `${formatCount(done)} of ${formatCount(progress.total)}`,
  ];
  for (const kind of [
    'queried',
    'enqueued',
    'written',
    'superseded',
    'filtered',
    'skipped',
    'expanded',
    'dead',
  ] as const) {
    const count = progress?.[kind] ?? 0;
    if (count > 0) parts.push(`${formatCount(count)} ${kind}`);
  }
  if (ratePerSecond !== null) parts.push(`${rate(ratePerSecond)}/s`);
  if (etaMs !== null) parts.push(`${formatDuration(etaMs)} left`);
  return parts.join(', ');
}

/** The line that ends a watch. */
export function jobEnd(job: Job): string {
  const { state, progress, ratePerSecond } = job;
  const pace =
    state === 'completed' && progress?.elapsedMs !== undefined
      ? ` in ${(progress.elapsedMs / 1_000).toFixed(1)} s${ratePerSecond === null ? '' : ` (${rate(ratePerSecond)}/s)`}`
      : '';
  const text = jobProgress(job);
  return `${jobTitle(job)}: ${text.startsWith(state) ? text : `${state}, ${text}`}${pace}`;
}

/** Jobs, one a line, newest first. */
export function jobLines(jobs: readonly Job[]): string[] {
  if (jobs.length === 0) return ['No backfill yet. Start one: sync backfill start --object Lead --watch'];
  return table(
    jobs.map((job) => [job.id, job.state, jobTitle(job), jobProgress(job)]),
    Infinity,
  );
}

/** What `sync status` shows. */
export interface StatusView {
  readonly health: ApiAnswers['health'];
  readonly flow: ApiAnswers['flow'];
  readonly backfills: readonly Job[];
  readonly deadLetters: ApiAnswers['listDeadLetters'];
}

/** `sync status` for a person. */
export function statusLines({ health, flow, backfills, deadLetters }: StatusView): string[] {
  const lines = [health.headline.text, '', ...table(health.stages.map(stageRow), Infinity)];
  if (flow.objects.length > 0) {
    const head = [
      'Object',
      'Last minute',
      'Last hour',
      'Superseded',
      'Skipped',
      'Dead',
      'Newest synced',
      'Latency p50 / p99',
    ];
    lines.push('', ...table([head, ...flow.objects.map((object) => objectRow(object, flow.time))]));
  }
  const trouble = health.services.filter(({ state }) => state === 'not-ready' || state === 'unreachable');
  for (const { name, state, checks } of trouble) {
    const bad = checks
      .filter(({ ok }) => !ok)
      .map(({ name: check, detail }) => (detail === undefined ? check : `${check}: ${detail}`));
    lines.push('', `${name} is ${state}${bad.length > 0 ? ` (${bad.join('; ')})` : ''}`);
  }
  const { refused } = health.mappings;
  if (refused !== null) {
    lines.push('', 'Mapping files are refused; the last good version stays in force');
    lines.push(...refused.mistakes.map((mistake) => `  ${mistake}`));
  }
  const running = backfills.filter(({ state }) => state === 'running' || state === 'accepted' || state === 'sent');
  if (running.length > 0)
    lines.push('', 'Backfills', ...running.map((job) => `  ${jobTitle(job)}: ${jobProgress(job)}`));
  if (deadLetters.groups.length > 0) {
    lines.push('', 'Dead letters');
    for (const { code, count, meaning, remedy } of deadLetters.groups) {
      lines.push(`  ${formatCount(count)} ${code}${meaning === undefined ? '' : `: ${meaning}`}`);
      if (remedy !== undefined) lines.push(`    ${remedy}`);
    }
  }
  return lines;
}

/** `sync accounting` for a person. */
export function accountingLines({ time, since, gap, rows, gaps }: ApiAnswers['accounting']): string[] {
  if (time === null || since === null) return ['The topics are still being read: ask again in a few seconds.'];
  const counted = `every change since ${new Date(since).toISOString()}`;
  const lines = [gap === 0 ? `Accounted for: ${counted}` : `${plural(gap, 'change')} unaccounted for, of ${counted}`];
  if (rows.length > 0) {
    const columns = ['in', ...outcomeKinds, 'inFlight', 'gap'] as const;
    const head = [
      'Object',
      'Lane',
      'In',
      'Written',
      'Superseded',
      'Filtered',
      'Skipped',
      'Expanded',
      'Dead',
      'In flight',
      'Gap',
    ];
    const cells = rows.map((row) => [row.object, row.lane, ...columns.map((column) => formatCount(row[column]))]);
    lines.push('', ...table([head, ...cells], 2));
  }
  if (gaps.length > 0) {
    lines.push('', gaps.length < gap ? `The first ${gaps.length} of them` : 'Which they are');
    lines.push(
      ...gaps.map(({ object, lane, recordId, offset, time: appended }) =>
        [`  ${object} ${recordId ?? '?'}`, lane, offset, appended === undefined ? '' : new Date(appended).toISOString()]
          .join('  ')
          .trimEnd(),
      ),
      '',
      'What to do: docs/accounting.md',
    );
  }
  return lines;
}
