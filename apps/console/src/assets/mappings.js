// The mappings in force.

import { count, element } from './dom.js';

/** Whether profiles were made with the version in force: words and level. */
const PROFILES = {
  done: ['up to date', 'ok'],
  running: ['backfill under way', 'busy'],
  needed: ['need a backfill', 'busy'],
  unknown: ['not known', 'unknown'],
};

const moment = (time) =>
  new Date(time).toLocaleString([], { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });

function profiles(backfill) {
  const [words, level] = PROFILES[backfill?.state] ?? ['–'];
  return level === undefined
    ? words
    : element('span', { class: 'badge', 'data-level': level, title: backfill.reason }, words);
}

function row({ object, version, since, fields, file, backfill }) {
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, object),
    element('td', { 'data-label': 'Version' }, element('code', {}, version)),
    element('td', { 'data-label': 'Fields', title: file }, fields === undefined ? '–' : count(fields)),
    element('td', { 'data-label': 'In force since' }, moment(since)),
    element('td', { 'data-label': 'Profiles' }, profiles(backfill)),
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
          ['Object', 'Version', 'Fields', 'In force since', 'Profiles'].map((title) =>
            element('th', { scope: 'col' }, title),
          ),
        ),
      ),
      element('tbody', {}, inForce.map(row)),
    ),
  ];
}
