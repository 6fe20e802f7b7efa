// What a person should look at.

import { clock, count, element } from './dom.js';

/** The check by which a service says that a safety stop holds. */
const SAFETY_STOP = 'dead-letters';

const BADGES = { unreachable: 'does not answer', 'not-ready': 'not ready', ready: 'works, with a warning' };

function troubleItem({ name, checks, state }) {
  const details = checks
    .filter(({ ok, warning }) => !ok || warning)
    .map(({ name: check, detail }) => (detail === undefined ? check : `${check}: ${detail}`));
  return element(
    'li',
    {},
    element(
      'p',
      { class: 'item-head' },
      element('strong', {}, name),
      element('span', { class: 'badge', 'data-level': 'attention' }, BADGES[state]),
    ),
    details.length > 0 ? element('p', { class: 'soft' }, details.join('; ')) : null,
    checks.some(({ name: check, ok }) => check === SAFETY_STOP && !ok)
      ? element('button', { type: 'button', class: 'small', 'data-order': 'continue' }, 'Continue…')
      : null,
  );
}

/** The newest redrive of a code, in words. */
function lastRedrive({ state, reason, summary, updatedAt, progress }) {
  if (state === 'completed') return `Redriven, at ${clock(updatedAt)}: ${summary}`;
  if (state === 'failed' || state === 'rejected') return `Redrive ${state}: ${reason}`;
  return `Redrive under way${progress?.total === undefined ? '' : ` for ${count(progress.total)} records`}`;
}

/** What can be done about the letters of a code, and what was done last. */
function redrive(code, records, jobs) {
  const last = jobs.find((job) => job.redrive?.codes?.includes(code));
  const isRunning = last !== undefined && ['sent', 'accepted', 'running'].includes(last.state);
  return [
    last === undefined ? null : element('p', { class: 'soft' }, lastRedrive(last)),
    records === 0
      ? null // of messages that could not be read: there is nothing to fetch
      : element(
          'button',
          {
            type: 'button',
            class: 'small',
            disabled: isRunning,
            'data-order': 'redrive',
            'data-code': code,
            'data-records': records,
          },
          'Redrive…',
        ),
  ];
}

function letterItem({ code, meaning, remedy, count: n, records, lastTime, newest }, jobs) {
  return element(
    'li',
    {},
    element(
      'p',
      { class: 'item-head' },
      element('strong', {}, meaning ?? code),
      element('span', { class: 'badge', 'data-level': 'attention' }, `${count(n)} dead`),
    ),
    remedy === undefined ? null : element('p', { class: 'soft' }, remedy),
    element(
      'details',
      { 'data-key': code },
      element('summary', {}, element('code', {}, code), ` newest ${clock(lastTime)}`),
      element(
        'ul',
        {},
        newest.map(({ recordType, recordId, origin, message, time, attempts }) =>
          element(
            'li',
            {},
            `${clock(time)} ${recordId === undefined ? (origin ?? '') : `${recordType ?? 'record'} ${recordId}`}: ${message}${attempts > 1 ? ` (${attempts} attempts)` : ''}`,
          ),
        ),
      ),
    ),
    ...redrive(code, records, jobs),
  );
}

export function attentionList({ services, groups, complete, reasons, redrives }) {
  const items = [...services.map(troubleItem), ...groups.map((group) => letterItem(group, redrives))];
  const skipped = reasons.map(({ object, reason, meaning, count: n }) =>
    element('li', { title: reason }, `${count(n)} ${object}: ${meaning ?? reason}`),
  );
  return [
    items.length === 0 ? element('p', { class: 'soft' }, 'Nothing.') : element('ul', { class: 'items' }, items),
    complete ? '' : element('p', { class: 'soft' }, 'Only the newest dead letters were read.'),
    skipped.length === 0
      ? ''
      : element(
          'details',
          { 'data-key': 'skipped' },
          element('summary', {}, 'Skipped on purpose in the last hour'),
          element('ul', {}, skipped),
        ),
  ];
}
