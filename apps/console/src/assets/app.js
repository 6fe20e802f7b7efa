// The status page: data comes from /api with the token, as it changes.

import { attentionList } from './attention.js';
import { backfillList } from './backfills.js';
import { chart, SERIES } from './chart.js';
import { $, count, duration, element, rate, show } from './dom.js';
import { mappingList } from './mappings.js';
import { objectTable } from './objects.js';
import { takeOrders } from './orders.js';

const TOKEN_KEY = 'console-token';
const FLOW_EVERY_MS = 5_000;
const RETRY_MS = 2_000;
/** Without an overview for so long the page says that it shows the past. */
const STALE_MS = 6_000;
const SHOWN_REASONS = 6;

const LEVEL_WORDS = { ok: 'In order', busy: 'Busy', attention: 'Attention', unknown: 'Not known' };
let lastLevel = null;

function showHeadline({ level, text }) {
  $('headline').dataset.level = level;
  const [first, ...notes] = text.split('; ');
  $('headline-text').textContent = first;
  $('headline-notes').textContent = notes.join(' · ');
  document.title = `${level === 'attention' ? '⚠ ' : ''}${text}`;
  // Told to screen readers when it turns, not each second.
  if (level !== lastLevel) $('announcement').textContent = text;
  lastLevel = level;
}

function showAccounting({ time, since, gap }) {
  const place = $('accounting');
  place.toggleAttribute('data-gap', gap > 0);
  if (time === null) place.textContent = 'Reading what became of each change…';
  else if (gap > 0) place.textContent = `${count(gap)} ${gap === 1 ? 'change' : 'changes'} unaccounted for`;
  else place.textContent = 'Every change accounted for';
  place.title = since === null ? '' : `Of all changes since ${new Date(since).toLocaleString()}`;
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
    ratePerSecond === null ? null : element('p', { class: 'rate' }, `${rate(ratePerSecond)} ${rateUnit}/s`),
    waiting === null ? null : element('p', { class: 'waiting', title: waitingUnit }, `${count(waiting)} waiting`),
    detail === undefined ? null : element('p', { class: 'detail' }, detail),
  );
}

const latest = { health: null, backfills: [], flow: null, letters: null, mappings: null };

/** What is in force comes as it changes; what is known beside it, with the flow. */
function showMappings() {
  if (latest.health === null) return;
  const { inForce, refused } = latest.health.mappings;
  const known = latest.mappings?.inForce ?? [];
  const rows = inForce.map((one) => ({
    ...known.find(({ object, version }) => object === one.object && version === one.version),
    ...one,
  }));
  show('mappings', { inForce: rows, refused }, mappingList);
}

function showAttention() {
  const { health, backfills, flow, letters } = latest;
  if (health === null || flow === null || letters === null) return;
  const services = health.services.filter(
    ({ state, checks }) => state === 'not-ready' || state === 'unreachable' || checks.some(({ warning }) => warning),
  );
  const reasons = flow.reasons.filter(({ outcome }) => outcome === 'skipped').slice(0, SHOWN_REASONS);
  const redrives = backfills.filter(({ redrive }) => redrive !== undefined);
  const { groups, complete } = letters;
  show('attention', { services, groups, complete, reasons, redrives }, attentionList);
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

/** Sends an order. Its error says to a person what is wrong. */
async function post(path, body) {
  const headers = { authorization: `Bearer ${token()}`, 'content-type': 'application/json' };
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => null);
  if (response === null) throw new Error('The console does not answer.');
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error?.message ?? `The console answered ${response.status}.`);
  return answer;
}

let lastOverviewMs = 0;

function onOverview({ health, backfills }) {
  lastOverviewMs = Date.now();
  showConnection();
  latest.health = health;
  latest.backfills = backfills;
  showHeadline(health.headline);
  showAccounting(health.accounting);
  show('stages', health.stages, (stages) => stages.map(stage));
  show('backfills', backfills, backfillList);
  showMappings();
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
  const [flow, letters, mappings] = await Promise.all(
    ['/api/flow?minutes=60', '/api/dead-letters', '/api/mappings'].map(async (path) =>
      (await ask(path, signal)).json(),
    ),
  );
  latest.flow = flow;
  latest.letters = letters;
  latest.mappings = mappings;
  show('chart', { minutes: flow.minutes, since: flow.since }, chart);
  show('objects', { objects: flow.objects, time: flow.time }, objectTable);
  showMappings();
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
      // Most likely a lost connection: showConnection tells, and the next round tries again.
      if (!stop.signal.aborted) console.warn(error);
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
  void run();
});

takeOrders(post);

$('legend').append(...SERIES.map(({ key, label }) => element('li', { 'data-series': key }, label)));

// A token in the fragment is kept for this tab and taken out of the address.
const given = new URLSearchParams(location.hash.slice(1)).get('token');
if (given !== null) {
  sessionStorage.setItem(TOKEN_KEY, given);
  history.replaceState(null, '', location.pathname);
}
if (token() === null) askForToken('');
else void run();
