#!/usr/bin/env node
import { processContext } from './context.js';
import { runCli } from './program.js';

const interrupted = new AbortController();
// The first Ctrl-C ends the command in order; a second one ends the process.
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());
// Whoever reads the output may leave early (sync tail | head).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  interrupted.abort();
});

process.exitCode = await runCli(process.argv.slice(2), processContext(interrupted.signal));
