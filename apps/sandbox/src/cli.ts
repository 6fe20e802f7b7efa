#!/usr/bin/env node
import { runCli } from './cli/program.js';

const code = await runCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
// `serve` goes on running: it has set nothing, and ends by itself.
if (code !== 0) process.exitCode = code;
