// Backfills with their progress.

import { clock, count, duration, element, rate } from './dom.js';

const SHOWN_BACKFILLS = 5;

const JOB_LEVELS = {
  sent: 'unknown',
  accepted: 'busy',
  running: 'busy',
  completed: 'ok',
  failed: 'attention',
  rejected: 'attention',
};

function redriveTitle({ codes, objects, idCount, from, to }) {
  const parts = ['redrive'];
  if (codes !== undefined) parts.push(codes.join(', '));
  if (objects !== undefined) parts.push(`of ${objects.join(', ')}`);
  if (idCount !== undefined) parts.push(`of ${count(idCount)} record ids`);
  if (from !== undefined) parts.push(`since ${from}`);
  if (to !== undefined) parts.push(`until ${to}`);
  return parts.join(' ');
}

function jobTitle({ object, where, since, catchUp, fanOut, redrive, idCount, id }) {
  if (redrive !== undefined) return redriveTitle(redrive);
  if (object === undefined) return idCount === undefined ? id : `${count(idCount)} record ids`;
  const parts = [object];
  if (where !== undefined) parts.push(`where ${where}`);
  if (since !== undefined) parts.push(`since ${since}`);
  if (catchUp !== undefined) parts.push(`(catch-up: ${catchUp})`);
  if (fanOut !== undefined)
    parts.push(`(fan-out of ${count(fanOut.records)} ${fanOut.from} record${fanOut.records === 1 ? '' : 's'})`);
  return parts.join(' ');
}

function jobNumbers({ progress = {}, ratePerSecond, etaMs }) {
  const { written = 0, superseded = 0, filtered = 0, skipped = 0, expanded = 0, dead = 0, total } = progress;
  const done = written + superseded + filtered + skipped + expanded + dead;
  const parts = [total === undefined ? `${count(done)} done` : `${count(done)} of ${count(total)}`];
  if (ratePerSecond !== null) parts.push(`${rate(ratePerSecond)}/s`);
  if (etaMs !== null) parts.push(`${duration(etaMs)} left`);
  if (skipped > 0) parts.push(`${count(skipped)} skipped`);
  if (dead > 0) parts.push(`${count(dead)} dead`);
  return { done, total, text: parts.join(' · ') };
}

function backfill(job) {
  const { state, reason, summary, updatedAt } = job;
  const { done, total, text } = jobNumbers(job);
  const running = state === 'running' || state === 'accepted';
  const bar = {
    max: Math.max(1, total ?? 1),
    'aria-label': `Progress of ${jobTitle(job)}`,
    ...(total === undefined ? {} : { value: done }),
  };
  return element(
    'li',
    {},
    element(
      'p',
      { class: 'item-head' },
      element('strong', {}, jobTitle(job)),
      element('span', { class: 'badge', 'data-level': JOB_LEVELS[state] }, state),
    ),
    running ? element('progress', bar) : null,
    element(
      'p',
      { class: 'soft' },
      running ? text : (reason ?? (summary === undefined ? text : `${summary}, at ${clock(updatedAt)}`)),
    ),
  );
}

export function backfillList(jobs) {
  if (jobs.length === 0) {
    return element(
      'p',
      { class: 'soft' },
      'None yet. Start one with ',
      element('code', {}, 'npx sync backfill start --object Lead --watch'),
      '.',
    );
  }
  const more = jobs.length - SHOWN_BACKFILLS;
  return [
    element('ul', { class: 'items' }, jobs.slice(0, SHOWN_BACKFILLS).map(backfill)),
    more > 0 ? element('p', { class: 'soft' }, `and ${count(more)} more: npx sync backfill list`) : '',
  ];
}
