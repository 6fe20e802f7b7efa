// Making and replacing elements, numbers for people. Nothing is ever put into the page as markup.

export const $ = (id) => document.getElementById(id);

/** An element; attributes with the value `undefined` or `false` are left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

export const svg = (tag, attributes = {}, ...children) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
};

/** Replaces what is shown in a place, but only when it differs: an open detail, a selection or the focus is not lost. */
const shown = new Map();
export function show(id, data, render) {
  const text = JSON.stringify(data);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  const place = $(id);
  const open = new Set([...place.querySelectorAll('details[open]')].map((details) => details.dataset.key));
  place.replaceChildren(...[render(data)].flat());
  for (const details of place.querySelectorAll('details')) details.open = open.has(details.dataset.key);
}

export const count = (n) => Math.round(n).toLocaleString('en-US');
export const rate = (n) => (n >= 10 || n === 0 ? count(n) : n.toFixed(1));

export function duration(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${Math.round(ms)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export const ago = (time, now) => (now - time < 1000 ? 'now' : `${duration(now - time)} ago`);
export const clock = (time) => new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
