import type { SettingsSchema } from '@libs/config';
import { z } from 'zod';
import { code, markdownPage, markdownTable, type Page } from './page.js';

/** A program and the settings that it reads. */
export interface Program {
  readonly name: string;
  readonly settings: SettingsSchema;
  /** One of the services: what all of them read is told so. */
  readonly isService?: boolean;
}

/** One variable, as the schemas say. */
export interface Setting {
  readonly name: string;
  readonly about: string;
  /** Which values are allowed, when they are few or in bounds. */
  readonly values: string;
  /** The programs that read it, with the default of each; `null`: none. */
  readonly readers: ReadonlyArray<{
    readonly program: string;
    readonly default: string | null;
    readonly required: boolean;
  }>;
}

/** What of a JSON schema the pages show. */
const property = z.object({
  description: z.string().optional(),
  default: z.union([z.string(), z.number()]).optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
});

const objectSchema = z.object({
  properties: z.record(z.string(), property),
  required: z.array(z.string()).default([]),
});

function valuesOf({ enum: choices, minimum, maximum }: z.infer<typeof property>): string {
  if (choices?.includes('yes') === true) return 'true or false';
  if (choices !== undefined) return choices.join(', ');
  const bounded = (n: number | undefined) => n !== undefined && Math.abs(n) < Number.MAX_SAFE_INTEGER;
  if (bounded(minimum) && bounded(maximum)) return `${minimum} to ${maximum}`;
  return bounded(maximum) ? `at most ${maximum}` : '';
}

/**
 * Every variable of the programs, once, in order of first mention.
 * Errors: a setting without a description, or described in two ways.
 */
export function collectSettings(programs: readonly Program[]): Setting[] {
  const settings = new Map<string, Setting>();
  for (const { name: program, settings: schema } of programs) {
    const { properties, required } = objectSchema.parse(
      z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
    );
    for (const [name, given] of Object.entries(properties)) {
      const { description: about } = given;
      if (about === undefined) throw new Error(`${name} of ${program} is not described`);
      const known = settings.get(name);
      // A port is described by each program in its own way: it is its own.
      if (known !== undefined && known.about !== about && name !== 'HTTP_PORT') {
        throw new Error(`${name} is described in two ways, the second time by ${program}`);
      }
      const reader = {
        program,
        default: given.default === undefined ? null : String(given.default),
        required: required.includes(name),
      };
      settings.set(name, {
        name,
        about: known?.about ?? about,
        values: known?.values ?? valuesOf(given),
        readers: [...(known?.readers ?? []), reader],
      });
    }
  }
  return [...settings.values()];
}

/** Sections of the pages, by the start of a variable's name, in order. */
const SECTIONS: ReadonlyArray<readonly [title: string, pattern: RegExp]> = [
  ['Salesforce', /^SALESFORCE_/],
  ['Iterable', /^ITERABLE_/],
  ['Mapping', /^MAPPINGS_/],
  ['Event log', /^(KAFKA_|DATA_DIR)/],
  ['Batcher', /^BATCHER_/],
  ['Console and command line', /^(CONSOLE_|SYNC_)/],
  ['Every service', /^(HTTP_|LOG_)/],
  ['Sandbox', /^SANDBOX_/],
  ['Others', /^/],
];

function sectioned(settings: readonly Setting[]): Array<readonly [title: string, settings: Setting[]]> {
  const sections = Map.groupBy(settings, ({ name }) => SECTIONS.find(([, pattern]) => pattern.test(name))?.[0] ?? '');
  return SECTIONS.flatMap(([title]) => (sections.has(title) ? [[title, sections.get(title) ?? []] as const] : []));
}

function defaultOf({ readers }: Setting): string {
  const defaults = new Set(readers.map((reader) => reader.default));
  if (defaults.size > 1) return readers.map((reader) => `${code(reader.default ?? '')} ${reader.program}`).join(', ');
  const [only] = defaults;
  if (only === null || only === undefined) return readers.some(({ required }) => required) ? '**required**' : 'unset';
  return only === '' ? 'empty' : code(only);
}

function meaningOf({ about, values }: Setting): string {
  return values === '' ? about : `${about} Values: ${values}.`;
}

function readersOf({ readers }: Setting, programs: readonly Program[]): string {
  const isRequired = readers.some(({ required }) => required);
  const names = new Set(
    readers.map(({ program, required }) => program + (isRequired && !required ? ' (optional)' : '')),
  );
  const services = programs.filter(({ isService }) => isService === true).map(({ name }) => name);
  if (!services.every((name) => names.has(name))) return [...names].join(', ');
  const others = [...names].filter((name) => !services.includes(name));
  return ['every service', ...others].join(', ');
}

/** docs/reference/settings.md. */
export function settingsPage(settings: readonly Setting[], programs: readonly Program[]): Page {
  const sections = sectioned(settings).map(([title, members]) => {
    const rows = members.map((setting) => [
      code(setting.name),
      defaultOf(setting),
      meaningOf(setting),
      readersOf(setting, programs),
    ]);
    return `## ${title}\n\n${markdownTable(['Variable', 'Default', 'Meaning', 'Read by'], rows)}`;
  });
  return markdownPage(
    'docs/reference/settings.md',
    'Settings',
    'Every setting is an environment variable. A wrong one is told at the start, all of them at once, and nothing starts. Any variable ' +
      '`X` can be given as `X_FILE`, the path of a file that holds the value: the way to pass secrets.',
    '`npm start` without SALESFORCE_* and ITERABLE_* runs the demo: it fills in what is required with the address and the credentials of its ' +
      'sandbox. Its console reads the settings of all services.',
    ...sections,
  );
}

/** .env.example: the same as a file, everything commented out. */
export function environmentExample(settings: readonly Setting[]): Page {
  const lines = [
    '# Every setting with its default. Made from code by `npm run docs`; do not edit: copy it to .env.',
    '',
  ];
  for (const [title, members] of sectioned(settings)) {
    lines.push(`# ---- ${title}`, '');
    for (const setting of members) {
      const [first] = setting.readers;
      lines.push(`# ${meaningOf(setting)}`, `#${setting.name}=${first?.default ?? ''}`, '');
    }
  }
  return { path: '.env.example', content: `${lines.join('\n').trimEnd()}\n` };
}
