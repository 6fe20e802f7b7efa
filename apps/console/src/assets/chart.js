// Changes per minute as stacked bars.

import { clock, count, element, svg } from './dom.js';

export const SERIES = [
  { key: 'written', label: 'Written', of: ({ lane, outcome }) => outcome === 'written' && lane === 'realtime' },
  {
    key: 'backfill',
    label: 'Written by backfills',
    of: ({ lane, outcome }) => outcome === 'written' && lane === 'backfill',
  },
  { key: 'other', label: 'Not needed or skipped', of: ({ outcome }) => outcome !== 'written' && outcome !== 'dead' },
  { key: 'dead', label: 'Dead', of: ({ outcome }) => outcome === 'dead' },
];
const WIDTH = 600;
const HEIGHT = 150;
/** One dead change among thousands must still be seen. */
const SMALLEST = 2;

function niceCeiling(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, n)));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= n);
}

export function chart({ minutes, since }) {
  const bars = minutes.map(({ time, counts }) => ({
    time,
    parts: SERIES.map(({ key, of }) => ({ key, n: counts.filter(of).reduce((sum, item) => sum + item.count, 0) })),
  }));
  const totals = bars.map(({ parts }) => parts.reduce((sum, { n }) => sum + n, 0));
  const peak = Math.max(...totals);
  if (peak === 0) return element('p', { class: 'soft' }, 'No change ended in the last hour.');
  const top = niceCeiling(peak);
  const step = WIDTH / bars.length;
  const columns = bars.flatMap(({ time, parts }, index) => {
    let y = HEIGHT;
    return parts
      .filter(({ n }) => n > 0)
      .map(({ key, n }) => {
        const height = Math.max(SMALLEST, (n / top) * HEIGHT);
        y -= height;
        const label = SERIES.find((series) => series.key === key).label;
        return svg(
          'rect',
          { x: index * step + 0.5, y, width: step - 1, height, 'data-series': key },
          svg('title', {}, `${clock(time)} ${label}: ${count(n)}`),
        );
      });
  });
  const summary = `Most in one minute: ${count(peak)}. In the running minute: ${count(totals.at(-1))}.`;
  const drawing = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': summary },
    svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: 0, y2: 0 }),
    svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }),
    ...columns,
  );
  const partial = since > minutes[0].time ? ` · complete since ${clock(since)}` : '';
  return [
    drawing,
    element(
      'p',
      { class: 'hours' },
      element('span', {}, clock(minutes[0].time)),
      element('span', {}, `top line ${count(top)} a minute${partial}`),
      element('span', {}, clock(minutes.at(-1).time)),
    ),
  ];
}
