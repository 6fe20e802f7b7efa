import { BadSettingError } from '@libs/contracts';
import { PortTakenError } from '../../sandbox/src/sandbox.js';
import { startStandalone, type Standalone } from './standalone.js';

/** What a newcomer reads first: where to look and what to try. */
function welcome({ announcement, sandboxUrls }: Standalone): string {
  const lines = ['', 'salesforce-iterable-sync runs.', `  ${announcement}`];
  if (sandboxUrls !== null) {
    lines.push(
      `  simulated Salesforce  ${sandboxUrls.salesforce}`,
      `  simulated Iterable    ${sandboxUrls.iterable}`,
      `  sandbox admin         ${sandboxUrls.admin}/stats`,
      'A few records change every second and arrive in Iterable. Records from before the start need a backfill:',
      '  npm run sync -- backfill start --object Lead --watch',
      'Stop with Ctrl-C. Give it SALESFORCE_* and ITERABLE_* to sync a real org: see README.md.',
    );
  }
  return `${lines.join('\n')}\n\n`;
}

let running: Standalone;
try {
  running = await startStandalone();
} catch (error) {
  const known = error instanceof BadSettingError || error instanceof PortTakenError;
  process.stderr.write(`${known ? (error as Error).message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(known ? 2 : 1);
}
process.stdout.write(welcome(running));

let stopping = false;
const stop = (code: number) => {
  if (stopping) process.exit(1); // a second Ctrl-C means now
  stopping = true;
  running.close().then(
    () => process.exit(code),
    () => process.exit(1),
  );
};
running.health.whenFatal((error) => {
  running.logger.fatal({ err: error }, 'stopping: a bug or a bad setting');
  stop(1);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(0));
