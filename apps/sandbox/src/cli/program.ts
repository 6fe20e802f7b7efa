import { loadSettings, SettingsError, type Environment } from '@libs/config';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { sandboxSettings, type SandboxSettings } from '../sandbox.config.js';
import { exitCodes, serve } from '../serve.js';
import { AdminError, callAdmin } from './admin-client.js';
import * as render from './render.js';

/** Where the commands write and what they read. Tests give their own. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  environment?: Environment;
}

/** Commander's form of a zod check: the schema of the setting says what is allowed. */
const checked =
  <T>(schema: z.ZodType<T>) =>
  (text: string): T => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`${parsed.error.issues.map((issue) => issue.message).join('; ')}.`);
  };

const count = checked(sandboxSettings.shape.SANDBOX_LEADS);
const seed = checked(sandboxSettings.shape.SANDBOX_SEED);

/** `name=value` pairs; a value is read as JSON where it is JSON. */
function option(text: string, before: Record<string, unknown>): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('must be name=value.');
  const value = text.slice(at + 1);
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // plain text
  }
  return { ...before, [text.slice(0, at)]: parsed };
}

/** The `sandbox` command. */
export function buildProgram(terminal: Terminal): Command {
  const program = new Command('sandbox')
    .description('A simulated Salesforce org and Iterable project to point real clients at.')
    .option('--json', 'print JSON, for machines')
    .option('--url <url>', 'admin port of the running sandbox (default: where SANDBOX_ADMIN_PORT says)')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });

  const load = (): SandboxSettings => loadSettings('sandbox', sandboxSettings, terminal.environment);
  const globals = () => program.opts<{ json?: boolean; url?: string }>();
  const adminUrl = (): string => {
    const { url } = globals();
    if (url !== undefined) return url;
    const settings = load();
    return `http://${settings.HTTP_HOST === '0.0.0.0' ? '127.0.0.1' : settings.HTTP_HOST}:${settings.SANDBOX_ADMIN_PORT}`;
  };
  const ask = async (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
    human: (answer: unknown) => string = render.lines,
  ): Promise<void> => {
    const answer = await callAdmin(adminUrl(), method, path, body);
    terminal.out(globals().json ? `${JSON.stringify(answer)}\n` : human(answer));
  };

  program
    .command('serve')
    .description('open the sandbox and keep it open')
    .option('--leads <n>', 'leads at the start', count)
    .option('--contacts <n>', 'contacts at the start', count)
    .option('--accounts <n>', 'accounts at the start', count)
    .option('--seed <n>', 'seed of everything random', seed)
    .option(
      '--changes-per-second <n>',
      'records that the org changes by itself',
      checked(sandboxSettings.shape.SANDBOX_CHANGES_PER_SECOND),
    )
    .option('--project-type <type>', 'email, user-id or hybrid', checked(sandboxSettings.shape.ITERABLE_PROJECT_TYPE))
    .action(
      (given: {
        leads?: number;
        contacts?: number;
        accounts?: number;
        seed?: number;
        changesPerSecond?: number;
        projectType?: SandboxSettings['ITERABLE_PROJECT_TYPE'];
      }) =>
        serve(() => {
          const settings = load();
          return {
            ...settings,
            SANDBOX_LEADS: given.leads ?? settings.SANDBOX_LEADS,
            SANDBOX_CONTACTS: given.contacts ?? settings.SANDBOX_CONTACTS,
            SANDBOX_ACCOUNTS: given.accounts ?? settings.SANDBOX_ACCOUNTS,
            SANDBOX_SEED: given.seed ?? settings.SANDBOX_SEED,
            SANDBOX_CHANGES_PER_SECOND: given.changesPerSecond ?? settings.SANDBOX_CHANGES_PER_SECOND,
            ITERABLE_PROJECT_TYPE: given.projectType ?? settings.ITERABLE_PROJECT_TYPE,
          };
        }, globals().json),
    );

  program
    .command('seed')
    .description('make records in the org of a running sandbox')
    .option('--leads <n>', 'leads to add', count, 0)
    .option('--contacts <n>', 'contacts to add', count, 0)
    .option('--accounts <n>', 'accounts to add', count, 0)
    .option('--seed <n>', 'the same seed gives the same records', seed)
    .action((given: object) => ask('POST', '/seed', given));

  const fault = program.command('fault').description('faults of a running sandbox');
  fault
    .command('add <system> <kind>')
    .description('switch a fault on; kinds are listed by: sandbox fault kinds')
    .option('--rate <share>', 'share of the requests that it strikes, 0 to 1', checked(z.coerce.number().min(0).max(1)))
    .option('--count <n>', 'off after so many hits', checked(z.coerce.number().int().positive()))
    .option('--match <text>', 'only paths that contain the text')
    .option('-o, --option <name=value>', 'an option of the kind; may be repeated', option, {})
    .action(
      (system: string, kind: string, given: { option: object; rate?: number; count?: number; match?: string }) => {
        const { option: options, ...rest } = given;
        return ask('POST', '/faults', { system, kind, ...rest, options });
      },
    );
  fault
    .command('list')
    .description('the faults in force')
    .action(() => ask('GET', '/faults', undefined, render.faults));
  fault
    .command('kinds')
    .description('every kind, what it does and its options')
    .action(() => ask('GET', '/faults/kinds', undefined, render.faultKinds));
  fault
    .command('clear [system] [kind]')
    .description('switch faults off: all, those of a system, or of one kind')
    .action((system?: string, kind?: string) => {
      const query = new URLSearchParams({ ...(system && { system }), ...(kind && { kind }) });
      return ask('DELETE', `/faults?${query.toString()}`, undefined, render.faults);
    });

  program
    .command('clock')
    .description("the sandbox's clock")
    .command('advance')
    .argument('<seconds>', 'how far', checked(z.coerce.number().positive()))
    .description('move it forward')
    .action((advanceSeconds: number) => ask('POST', '/clock', { advanceSeconds }));
  program
    .command('stats')
    .description('counts of both systems')
    .action(() => ask('GET', '/stats'));
  program
    .command('requests')
    .description('what the simulated Iterable received')
    .option('--email <email>', 'only requests naming this user, with what they say of him')
    .option('--user-id <id>', 'the same by user id')
    .option('--endpoint <name>', 'e.g. users/bulkUpdate')
    .option('--limit <n>', 'the last so many', checked(z.coerce.number().int().positive()), 20)
    .option('--reads', 'GET requests too')
    .action((given: { limit: number; email?: string; userId?: string; endpoint?: string; reads?: true }) => {
      const query = new URLSearchParams(
        Object.entries(given).map(([name, value]): [string, string] => [name, String(value)]),
      );
      return ask('GET', `/iterable/requests?${query.toString()}`, undefined, render.requests);
    });
  program
    .command('switches')
    .description('how the simulated Iterable behaves where the real one is not documented; name=value changes it')
    .argument('[changes...]', 'name=value', option, {})
    .action((changes: object) =>
      Object.keys(changes).length === 0
        ? ask('GET', '/iterable/switches', undefined, render.switches)
        : ask('POST', '/iterable/switches', changes, render.switches),
    );

  return program;
}

/** Runs one command line. Returns the exit code. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await buildProgram(terminal).parseAsync([...argv], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof SettingsError) {
      terminal.err(`${error.message}\n`);
      return exitCodes.usage;
    }
    if (error instanceof AdminError) {
      terminal.err(`${error.message}\n`);
      return exitCodes.failed;
    }
    throw error;
  }
}
