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

const lastOf = (jobs, code) => jobs.find(({ redrive: asked }) => asked?.codes?.includes(code));

/** Were all letters of a code sent again, and did all of them end well? They stay in the topic all the same. */
function isSettled({ lastTime }, last) {
  if (last?.state !== 'completed' || last.progress?.dead > 0) return false;
  const { objects, idCount, from, to } = last.redrive;
  return [objects, idCount, from, to].every((given) => given === undefined) && lastTime < (last.requestedAt ?? 0);
}

/** What can be done about the letters of a code, and what was done last. */
function redrive(code, records, last) {
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

function letterItem(group, jobs) {
  const { code, meaning, remedy, count: n, records, lastTime, newest } = group;
  const last = lastOf(jobs, code);
  const level = isSettled(group, last) ? 'ok' : 'attention';
  return element(
    'li',
    {},
    element(
      'p',
      { class: 'item-head' },
      element('strong', {}, meaning ?? code),
      element(
        'span',
        { class: 'badge', 'data-level': level },
        level === 'ok' ? `${count(n)} redriven` : `${count(n)} dead`,
      ),
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
    ...redrive(code, records, last),
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
