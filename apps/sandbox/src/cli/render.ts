import { z } from 'zod';

/** Answers as lines of `name value`, nested ones indented. */
export function lines(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return `${indent}none\n`;
    return value.map((one) => `${indent}${typeof one === 'object' ? JSON.stringify(one) : String(one)}\n`).join('');
  }
  if (typeof value !== 'object' || value === null) return `${indent}${String(value)}\n`;
  return Object.entries(value)
    .map(([name, inner]) =>
      typeof inner === 'object' && inner !== null
        ? `${indent}${name}\n${lines(inner, `${indent}  `)}`
        : `${indent}${name} ${String(inner)}\n`,
    )
    .join('');
}

const kinds = z.object({
  kinds: z.array(
    z.object({ system: z.string(), kind: z.string(), does: z.string(), options: z.record(z.string(), z.string()) }),
  ),
});

/** Every kind of fault: system and kind, what it does, its options. */
export function faultKinds(answer: unknown): string {
  return kinds
    .parse(answer)
    .kinds.map(({ system, kind, does, options }) => {
      const taken = Object.entries(options).map(([name, about]) => `      ${name}: ${about}\n`);
      return `${system} ${kind}\n    ${does}\n${taken.join('')}`;
    })
    .join('');
}

const inForce = z.object({
  faults: z.array(
    z.object({
      system: z.string(),
      kind: z.string(),
      rate: z.number(),
      hits: z.number(),
      count: z.number().optional(),
      match: z.string().optional(),
      options: z.record(z.string(), z.unknown()),
    }),
  ),
});

/** The faults in force, one a line, with how often each has struck. */
export function faults(answer: unknown): string {
  const { faults: list } = inForce.parse(answer);
  if (list.length === 0) return 'no fault is on\n';
  return list
    .map(({ system, kind, rate, hits, count, match, options }) => {
      const limits = [
        `rate ${rate}`,
        `hits ${hits}${count === undefined ? '' : ` of ${count}`}`,
        ...(match === undefined ? [] : [`match ${match}`]),
        ...Object.entries(options).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
      ];
      return `${system} ${kind}  ${limits.join('  ')}\n`;
    })
    .join('');
}

const switchList = z.object({ switches: z.record(z.string(), z.unknown()), about: z.record(z.string(), z.string()) });

/** The switches of the simulated Iterable: value and meaning. */
export function switches(answer: unknown): string {
  const { switches: values, about } = switchList.parse(answer);
  return Object.entries(values)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n    ${about[name] ?? ''}\n`)
    .join('');
}

const requestList = z.object({
  requests: z.array(
    z.object({
      number: z.number(),
      at: z.number(),
      method: z.string(),
      endpoint: z.string(),
      users: z.number(),
      status: z.number().nullable(),
      faults: z.array(z.string()),
      entries: z.array(z.unknown()).optional(),
    }),
  ),
});

/** What the simulated Iterable received, one request a line, with the entries of the user that was asked for. */
export function requests(answer: unknown): string {
  const { requests: list } = requestList.parse(answer);
  if (list.length === 0) return 'no such request\n';
  return list
    .map(({ number, at, method, endpoint, users, status, faults: struck, entries = [] }) => {
      const head = `${number}  ${new Date(at).toISOString()}  ${method} ${endpoint}  ${users} users  ${status ?? 'no answer'}`;
      const shown = entries.map((entry) => `    ${JSON.stringify(entry)}\n`);
      return `${head}${struck.length === 0 ? '' : `  ${struck.join(', ')}`}\n${shown.join('')}`;
    })
    .join('');
}
