import { readFileSync } from 'node:fs';
import { BadSettingError } from '@libs/contracts';
import { z } from 'zod';

/** A bad environment: every bad variable with what is wrong and what to do. No value is shown. */
export class SettingsError extends BadSettingError {
  override readonly name = 'SettingsError';

  constructor(
    app: string,
    readonly problems: readonly string[],
  ) {
    super(
      `${app} cannot start: ${problems.length === 1 ? 'one setting is' : `${problems.length} settings are`} wrong.\n` +
        problems.map((problem) => `  ${problem}`).join('\n') +
        '\nSee docs/reference/settings.md.',
    );
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type SettingsSchema = z.ZodObject<z.ZodRawShape>;

/** Reads `X_FILE` where `X` itself is unset: how a secret is mounted. Blank variables count as unset. */
function withFiles(names: readonly string[], environment: Environment, problems: string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const direct = environment[name];
    const file = environment[`${name}_FILE`];
    if (direct !== undefined && direct !== '') {
      values[name] = direct;
    } else if (file !== undefined && file !== '') {
      try {
        values[name] = readFileSync(file, 'utf8').trimEnd();
      } catch (error) {
        problems.push(`${name}_FILE: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
      }
    }
  }
  return values;
}

/**
 * Parses the environment into an app's typed settings, once, before anything starts.
 * Errors: {@link SettingsError} listing every bad variable.
 */
export function loadSettings<S extends SettingsSchema>(
  app: string,
  schema: S,
  environment: Environment = processEnvironment(),
): z.infer<S> {
  const problems: string[] = [];
  const values = withFiles(Object.keys(schema.shape), environment, problems);
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0] ?? '');
      if (problems.some((problem) => problem.startsWith(`${name}_FILE:`))) continue;
      const about = name === '' ? undefined : (schema.shape[name] as z.ZodType | undefined)?.description;
      const missing = name !== '' && values[name] === undefined;
      problems.push(
        `${name === '' ? '' : `${name}: `}${missing ? 'is required' : issue.message}${about ? ` — ${about}` : ''}`,
      );
    }
  }
  if (problems.length > 0 || !parsed.success) throw new SettingsError(app, problems);
  return parsed.data;
}

/** A boolean variable: true/false, 1/0, yes/no. */
export function flag(defaultValue: boolean) {
  return z
    .enum(['true', 'false', '1', '0', 'yes', 'no'])
    .default(defaultValue ? 'true' : 'false')
    .transform((text) => text === 'true' || text === '1' || text === 'yes');
}

/** The environment of this process, for those that must look at it before they parse it. */
export function processEnvironment(): Environment {
  return process.env;
}
