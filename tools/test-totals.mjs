// Reads Vitest's JSON report and prints its totals as one plain line, the last of a CI run. Fails when a test failed, a file
// could not be loaded, or nothing ran.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
/** A file that broke before its first test has no test to count. */
const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
for (const file of broken) console.error(`could not be loaded: ${file.name}`);
const passed = report.numPassedTests;
const failed = report.numFailedTests + broken.length;
const skipped = report.numPendingTests + report.numTodoTests;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
if (failed > 0 || passed === 0) process.exitCode = 1;
