// The status page. Data comes from /api with the token; nothing is ever put into the page as markup.

const TOKEN_KEY = 'console-token';
const FLOW_EVERY_MS = 5_000;
const RETRY_MS = 2_000;
/** Without an overview for so long the page says that it shows the past. */
const STALE_MS = 6_000;
const SHOWN_BACKFILLS = 5;
const SHOWN_REASONS = 6;

const $ = (id) => document.getElementById(id);

/** An element; attributes with the value `undefined` or `false` are left out. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

const svg = (tag, attributes = {}, ...children) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
};

/** Replaces what is shown in a place, but only when it differs: an open detail, a selection or the focus is not lost. */
const shown = new Map();
function show(id, data, render) {
  const text = JSON.stringify(data);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  const place = $(id);
  const open = new Set([...place.querySelectorAll('details[open]')].map((details) => details.dataset.key));
  place.replaceChildren(...[render(data)].flat());
  for (const details of place.querySelectorAll('details')) details.open = open.has(details.dataset.key);
}

const count = (n) => Math.round(n).toLocaleString('en-US');
const rate = (n) => (n >= 10 || n === 0 ? count(n) : n.toFixed(1));

function duration(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${Math.round(ms)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

const ago = (time, now) => (now - time < 1000 ? 'now' : `${duration(now - time)} ago`);
const clock = (time) => new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

// ---- headline and stages

const LEVEL_WORDS = { ok: 'In order', busy: 'Busy', attention: 'Attention', unknown: 'Not known' };
let lastLevel = null;

function showHeadline({ level, text }) {
  $('headline').dataset.level = level;
  $('headline-text').textContent = text;
  document.title = `${level === 'attention' ? '⚠ ' : ''}${text}`;
  // Told to screen readers when it turns, not each second.
  if (level !== lastLevel) $('announcement').textContent = text;
  lastLevel = level;
}

function stage({ name, state, detail, ratePerSecond, rateUnit, waiting, waitingUnit }) {
  return element(
    'li',
    { class: 'stage', 'data-level': state },
    element(
      'h3',
      {},
      element('span', { class: 'dot', role: 'img', 'aria-label': LEVEL_WORDS[state], title: LEVEL_WORDS[state] }),
      name,
    ),
    ratePerSecond === null ? null : element('p', {}, `${rate(ratePerSecond)} ${rateUnit}/s`),
    waiting === null ? null : element('p', {}, `${count(waiting)} ${waitingUnit} waiting`),
    detail === undefined ? null : element('p', { class: 'detail' }, detail),
  );
}

// ---- chart

const SERIES = [
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

function niceCeiling(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, n)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= n);
}

function chart({ minutes, since }) {
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
        const height = (n / top) * HEIGHT;
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

// ---- objects

const COLUMNS = [
  ['Written, last minute', ({ lastMinute }) => lastMinute.written ?? 0],
  ['Written, last hour', ({ total }) => total.written ?? 0],
  ['Superseded', ({ total }) => total.superseded ?? 0],
  ['Skipped', ({ total }) => (total.skipped ?? 0) + (total.filtered ?? 0)],
  ['Dead', ({ total }) => total.dead ?? 0],
];

function objectRow(object, now) {
  const { latency, newestSynced } = object;
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, object.object),
    COLUMNS.map(([title, of]) => {
      const n = of(object);
      return element('td', { class: n === 0 ? 'zero' : title === 'Dead' ? 'bad' : undefined }, count(n));
    }),
    element('td', {}, newestSynced === null ? '–' : ago(newestSynced, now)),
    element('td', {}, latency === null ? '–' : `${duration(latency.p50Ms)} / ${duration(latency.p99Ms)}`),
  );
}

function objectTable({ objects, time }) {
  if (objects.length === 0)
    return element('p', { class: 'soft' }, 'No change has ended yet. Change a Lead in Salesforce and watch.');
  const titles = ['Object', ...COLUMNS.map(([title]) => title), 'Newest change synced', 'Latency p50 / p99'];
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

// ---- backfills

const JOB_LEVELS = {
  sent: 'unknown',
  accepted: 'busy',
  running: 'busy',
  completed: 'ok',
  failed: 'attention',
  rejected: 'attention',
};

function jobTitle({ object, where, idCount, id }) {
  if (object !== undefined) return where === undefined ? object : `${object} where ${where}`;
  return idCount === undefined ? id : `${count(idCount)} record ids`;
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

function backfillList(jobs) {
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

// ---- needs attention

const latest = { health: null, flow: null, letters: null };

function troubleItem({ name, checks, state }) {
  const details = checks
    .filter(({ ok }) => !ok)
    .map(({ name: check, detail }) => (detail === undefined ? check : `${check}: ${detail}`));
  return element(
    'li',
    {},
    element(
      'p',
      { class: 'item-head' },
      element('strong', {}, name),
      element(
        'span',
        { class: 'badge', 'data-level': 'attention' },
        state === 'unreachable' ? 'does not answer' : 'not ready',
      ),
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

function attentionList({ services, groups, complete, reasons }) {
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

function showAttention() {
  const { health, flow, letters } = latest;
  if (health === null || flow === null || letters === null) return;
  const services = health.services.filter(({ state }) => state === 'not-ready' || state === 'unreachable');
  const reasons = flow.reasons.filter(({ outcome }) => outcome === 'skipped').slice(0, SHOWN_REASONS);
  show('attention', { services, groups: letters.groups, complete: letters.complete, reasons }, attentionList);
}

// ---- talking to the console

class Unauthorized extends Error {}

const token = () => sessionStorage.getItem(TOKEN_KEY);

async function ask(path, signal) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${token()}` }, signal });
  if (response.status === 401) throw new Unauthorized();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

let lastOverviewMs = 0;

function onOverview({ health, backfills }) {
  lastOverviewMs = Date.now();
  latest.health = health;
  showHeadline(health.headline);
  show('stages', health.stages, (stages) => stages.map(stage));
  show('backfills', backfills, backfillList);
  showAttention();
}

/** Reads server-sent events until the stream ends. EventSource cannot send the token in a header. */
async function followEvents(signal) {
  const response = await ask('/api/events?types=overview', signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const type = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (type === 'overview') onOverview(JSON.parse(data));
    }
  }
}

async function refreshFlow(signal) {
  const [flow, letters] = await Promise.all(
    ['/api/flow?minutes=60', '/api/dead-letters'].map(async (path) => (await ask(path, signal)).json()),
  );
  latest.flow = flow;
  latest.letters = letters;
  show('chart', { minutes: flow.minutes, since: flow.since }, chart);
  show('objects', { objects: flow.objects, time: flow.time }, objectTable);
  showAttention();
}

function showConnection() {
  const age = Date.now() - lastOverviewMs;
  const lost = age > STALE_MS;
  $('page').toggleAttribute('data-stale', lost);
  $('connection').toggleAttribute('data-lost', lost);
  if (!lost) $('connection').textContent = 'Live';
  else if (lastOverviewMs === 0) $('connection').textContent = 'The console does not answer; trying again';
  else $('connection').textContent = `The console does not answer; last heard ${duration(age)} ago`;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Repeats `step` for ever, until the token is refused. */
async function keep(step, everyMs, stop) {
  while (!stop.signal.aborted) {
    try {
      await step(stop.signal);
    } catch (error) {
      if (error instanceof Unauthorized) return error;
      // Anything else is a lost connection: showConnection tells, and the next round tries again.
    }
    await pause(everyMs);
  }
  return null;
}

async function run() {
  $('login').hidden = true;
  $('page').hidden = false;
  $('connection').textContent = 'Connecting…';
  lastOverviewMs = 0;
  const startedMs = Date.now();
  const stop = new AbortController();
  const watch = setInterval(() => {
    if (Date.now() - startedMs > STALE_MS || lastOverviewMs > 0) showConnection();
  }, 1_000);
  await Promise.race([keep(followEvents, RETRY_MS, stop), keep(refreshFlow, FLOW_EVERY_MS, stop)]);
  stop.abort();
  clearInterval(watch);
  sessionStorage.removeItem(TOKEN_KEY);
  askForToken('This token is refused.');
}

function askForToken(problem) {
  $('page').hidden = true;
  $('login').hidden = false;
  $('connection').textContent = '';
  $('connection').removeAttribute('data-lost');
  $('login-problem').textContent = problem;
  $('token').value = '';
  $('token').focus();
}

$('login-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN_KEY, $('token').value.trim());
  run();
});

$('legend').append(...SERIES.map(({ key, label }) => element('li', { 'data-series': key }, label)));

// A token in the fragment is kept for this tab and taken out of the address.
const given = new URLSearchParams(location.hash.slice(1)).get('token');
if (given !== null) {
  sessionStorage.setItem(TOKEN_KEY, given);
  history.replaceState(null, '', location.pathname);
}
if (token() === null) askForToken('');
else run();
