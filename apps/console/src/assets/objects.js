// The table of objects.

import { ago, count, duration, element } from './dom.js';

const COLUMNS = [
  ['Written, last minute', ({ lastMinute }) => lastMinute.written ?? 0],
  ['Written, last hour', ({ total }) => total.written ?? 0],
  ['Superseded', ({ total }) => total.superseded ?? 0],
  ['Skipped', ({ total }) => (total.skipped ?? 0) + (total.filtered ?? 0)],
  ['Dead', ({ total }) => total.dead ?? 0],
];

const NEWEST = 'Newest change synced';
const LATENCY = 'Latency p50 / p99';

function objectRow(object, now) {
  const { latency, newestSynced } = object;
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, object.object),
    COLUMNS.map(([title, of]) => {
      const n = of(object);
      return element(
        'td',
        { 'data-label': title, class: n === 0 ? 'zero' : title === 'Dead' ? 'bad' : undefined },
        count(n),
      );
    }),
    element('td', { 'data-label': NEWEST }, newestSynced === null ? '–' : ago(newestSynced, now)),
    element(
      'td',
      { 'data-label': LATENCY },
      latency === null ? '–' : `${duration(latency.p50Ms)} / ${duration(latency.p99Ms)}`,
    ),
  );
}

export function objectTable({ objects, time }) {
  if (objects.length === 0)
    return element('p', { class: 'soft' }, 'No change has ended yet. Change a Lead in Salesforce and watch.');
  const titles = ['Object', ...COLUMNS.map(([title]) => title), NEWEST, LATENCY];
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        titles.map((title) => element('th', { scope: 'col' }, title)),
      ),
    ),
    element(
      'tbody',
      {},
      objects.map((object) => objectRow(object, time)),
    ),
  );
}
