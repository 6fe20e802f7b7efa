// What a person can order on this page: asked for twice, then told what came of it.

import { $, count } from './dom.js';

/** How long no safety stop holds anything back after "Continue". Minutes. */
const CONTINUE_MINUTES = 10;

const records = (n) => `${count(n)} record${n === 1 ? '' : 's'}`;

/** Each order: what is asked before, where it is sent, and what is said after. */
const ORDERS = {
  redrive: ({ code, records: n }) => ({
    title: `Send ${records(Number(n))} again?`,
    text: 'Their present state is fetched from Salesforce, mapped and written as any other change. Correct the cause first, else they end here again.',
    verb: 'Redrive',
    path: '/api/dead-letters/redrive',
    body: { codes: [code] },
    done: ({ matching }) => `Sent, for ${records(matching.records)}. How far it is shows beside the backfills.`,
  }),
  continue: () => ({
    title: 'Let it go on as it is?',
    text: `For ${CONTINUE_MINUTES} minutes no safety stop holds anything back: what cannot be written becomes dead letters. After a correction of the mapping it goes on by itself.`,
    verb: 'Continue',
    path: '/api/dead-letters/continue',
    body: { minutes: CONTINUE_MINUTES },
    done: () => 'Sent. It goes on within seconds.',
  }),
};

let order = null;

function say({ title, text, problem = '' }) {
  if (title !== undefined) $('order-title').textContent = title;
  $('order-text').textContent = text;
  $('order-problem').textContent = problem;
}

function open(given) {
  order = given;
  say(order);
  $('order-send').hidden = false;
  $('order-send').disabled = false;
  $('order-send').textContent = order.verb;
  $('order-close').textContent = 'Cancel';
  $('order').showModal();
}

async function send(post) {
  const { path, body, done, text } = order;
  $('order-send').disabled = true;
  try {
    const answer = await post(path, body);
    say({ text: done(answer) });
    $('order-send').hidden = true;
    $('order-close').textContent = 'Close';
    $('order-close').focus();
  } catch (error) {
    say({ text, problem: error.message });
    $('order-send').disabled = false;
  }
}

/** Makes the buttons with `data-order` work, also those that are made later. `post`: sends a body to a path and gives the answer. */
export function takeOrders(post) {
  document.addEventListener('click', ({ target }) => {
    const button = target.closest('button[data-order]');
    if (button !== null) open(ORDERS[button.dataset.order](button.dataset));
  });
  $('order-send').addEventListener('click', () => void send(post));
  $('order-close').addEventListener('click', () => $('order').close());
}
