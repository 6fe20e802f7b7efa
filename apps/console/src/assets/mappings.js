// The mappings in force.

import { element } from './dom.js';

const moment = (time) =>
  new Date(time).toLocaleString([], { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });

function row({ object, version, since }) {
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, object),
    element('td', { 'data-label': 'Version' }, element('code', {}, version)),
    element('td', { 'data-label': 'In force since' }, moment(since)),
  );
}

function mistakes({ mistakes: lines, since }) {
  return [
    element(
      'p',
      { class: 'item-head' },
      element('strong', {}, `Refused since ${moment(since)}`),
      element('span', { class: 'badge', 'data-level': 'attention' }, 'last good version in force'),
    ),
    element(
      'ul',
      {},
      lines.map((line) => element('li', {}, element('code', {}, line))),
    ),
  ];
}

export function mappingList({ inForce, refused }) {
  if (inForce.length === 0) return element('p', { class: 'soft' }, 'The mapper has not told yet.');
  return [
    ...(refused === null ? [] : mistakes(refused)),
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ['Object', 'Version', 'In force since'].map((title) => element('th', { scope: 'col' }, title)),
        ),
      ),
      element('tbody', {}, inForce.map(row)),
    ),
  ];
}
