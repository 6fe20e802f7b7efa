import { SettingsError } from '@libs/config';
import { createSandbox, doors, PortTakenError, type Sandbox } from './sandbox.js';
import type { SandboxSettings } from './sandbox.config.js';

/** Exit codes of every command: 0 done, 1 failed, 2 asked for wrongly. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/** Longest that closing the doors may take. Milliseconds. */
const STOP_DEADLINE_MS = 10_000;

/**
 * Runs a sandbox until SIGTERM or SIGINT: prints its doors, then exits 0. Settings that are wrong end it with 2, a taken port
 * with 1, each with one clear sentence.
 */
export async function serve(load: () => SandboxSettings, json = false): Promise<void> {
  let sandbox: Sandbox;
  let settings: SandboxSettings;
  try {
    settings = load();
    sandbox = await createSandbox(settings);
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof PortTakenError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error instanceof SettingsError ? exitCodes.usage : exitCodes.failed;
    return;
  }
  process.stdout.write(
    json ? `${JSON.stringify({ urls: sandbox.urls })}\n` : doors(sandbox, settings.ITERABLE_PROJECT_TYPE),
  );
  const stop = () => {
    setTimeout(() => process.exit(exitCodes.failed), STOP_DEADLINE_MS).unref();
    void sandbox.close().then(() => process.exit(exitCodes.ok));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
}
