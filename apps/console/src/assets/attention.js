// What a person should look at.

import { clock, count, element } from './dom.js';

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
  );
}

function letterItem({ code, meaning, remedy, count: n, lastTime, newest }) {
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
  );
}

export function attentionList({ services, groups, complete, reasons }) {
  const items = [...services.map(troubleItem), ...groups.map(letterItem)];
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
