import type { LoggedRequest } from '../../apps/sandbox/src/iterable/index.js';
import { topics, updateTopics, type Topic } from '@libs/contracts';
import { compareLeads, type Comparison } from '../support/compare.js';
import { readFates, type Fates } from '../support/fates.js';
import type { SandboxProcess } from '../support/sandbox.js';
import type { Stack } from '../support/stack.js';
import { accountViolations, readAccount, type Account } from './console-account.js';
import { withForeignType } from './fault-load.js';
import { codeOfStruck } from './fault-mix.js';
import { summarize, type RequestSummary } from './request-summary.js';
import { FLAT_WITHIN_MIB, type MemorySummary, type WriterWatch } from './writer-watch.js';

/** Who reads what: all of these must have read to the end before a run is over. */
const READERS: ReadonlyArray<readonly [group: string, topic: Topic]> = [
  ['sync.batcher', topics.changes],
  ['sync.mapper', topics.realtimeBatches],
  ['sync.mapper', topics.backfillBatches],
  ['sync.iterable-writer', updateTopics.realtime],
  ['sync.iterable-writer', updateTopics.backfill],
];

/** Messages that a restart of all services would read again. */
export async function uncommitted({ log }: Pick<Stack, 'log'>): Promise<number> {
  const counts = await Promise.all(
    READERS.map(async ([group, topic]) => {
      const committed = new Map((await log.committed(group, topic)).map((one) => [one.partition, one.offset]));
      const ends = await log.offsets(topic);
      return ends.reduce(
        (sum, { partition, earliest, next }) => sum + next - (committed.get(partition) ?? earliest),
        0,
      );
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What is bad by design of the run. */
export interface Truth {
  readonly mismatchShare: number;
  readonly forgotten: ReadonlySet<string>;
  readonly invalid: ReadonlySet<string>;
}

/** Record id → the code that its dead letters must have, for all Leads of the org. */
export async function badRecords(sandbox: SandboxProcess, truth: Truth): Promise<Map<string, string>> {
  const bad = new Map<string, string>();
  for (const { Id, Email } of await sandbox.query('SELECT Id, Email FROM Lead WHERE Email != null')) {
    const code = codeOf(String(Id), String(Email), truth);
    if (code !== null) bad.set(String(Id), code);
  }
  return bad;
}

/** A fault strikes before Iterable looks at the address itself. */
function codeOf(id: string, email: string, { mismatchShare, forgotten, invalid }: Truth): string | null {
  const struck = codeOfStruck(email.toLowerCase(), mismatchShare);
  if (struck !== null) return struck;
  if (forgotten.has(email.toLowerCase())) return 'iterable.forgotten';
  return invalid.has(id) ? 'iterable.invalid_email' : null;
}

export interface Verdict {
  readonly comparison: Comparison;
  readonly bad: ReadonlyMap<string, string>;
  readonly fates: Fates;
  readonly account: Account;
  readonly requests: RequestSummary;
  readonly memory: readonly MemorySummary[];
  readonly outageGrowth: ReturnType<WriterWatch['growth']>;
  readonly violations: readonly string[];
}

export interface Evidence {
  readonly stack: Stack;
  readonly sandbox: SandboxProcess;
  readonly truth: Truth;
  /** The sandbox's log of the run. */
  readonly requestLog: readonly LoggedRequest[];
  readonly watch: WriterWatch;
  readonly outagePhase: string;
  /** Every fault of the run: each must have struck. */
  readonly kinds: readonly string[];
}

/** Holds everything that the run left against what it should have left. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const { stack, sandbox, truth, requestLog, watch, outagePhase, kinds } = evidence;
  const requests = summarize(requestLog);
  const bad = await badRecords(sandbox, truth);
  const comparison = await compareLeads(sandbox, withForeignType);
  const changes = (await stack.log.offsets(topics.changes)).flatMap(({ partition, earliest, next }) =>
    Array.from({ length: next - earliest }, (_, index) => `${partition}:${earliest + index}`),
  );
  const fates = readFates({
    changes,
    outcomes: await stack.readAll(topics.outcomes),
    deadLetters: await stack.readAll(topics.deadLetters),
    bad,
  });
  const account = await readAccount(stack);
  const outageGrowth = watch.growth(outagePhase);
  const violations = [
    ...profileViolations(comparison, bad),
    ...fates.violations,
    ...accountViolations(account, fates, changes.length),
    ...requestViolations(requests, kinds),
    ...(outageGrowth.samples >= 9 && outageGrowth.mib > FLAT_WITHIN_MIB
      ? [`the writer grew by ${outageGrowth.mib} MiB in the last third of the outage`]
      : []),
  ];
  return { comparison, bad, fates, account, requests, memory: watch.summaries(), outageGrowth, violations };
}

function profileViolations({ missing, different }: Comparison, bad: ReadonlyMap<string, string>): string[] {
  const absent = new Set(missing);
  return [
    ...missing.filter((id) => !bad.has(id)).map((id) => `${id} is good, and not in Iterable`),
    ...different.map((id) => `${id} is stale in Iterable`),
    ...[...bad].filter(([id]) => !absent.has(id)).map(([id, code]) => `${id} is bad (${code}), and in Iterable`),
  ];
}

function requestViolations(requests: RequestSummary, kinds: readonly string[]): string[] {
  const { worst, ownRateLimits, struck, refusedShare } = requests;
  return [
    ...(worst !== null && worst.excess > 0
      ? [`${worst.requests} bulk requests in ${worst.seconds} s: ${worst.excess.toFixed(2)} too many`]
      : []),
    ...(ownRateLimits > 0 ? [`${ownRateLimits} requests were answered 429 by the bucket itself`] : []),
    ...kinds.filter((kind) => struck[kind] === undefined).map((kind) => `the fault ${kind} never struck`),
    ...(refusedShare < 0.01 ? ['fewer than 1 % of the bulk requests were refused as a whole'] : []),
  ];
}

/** The figures of a run for a person. */
export function render(verdict: Verdict, more: ReadonlyArray<readonly [string, unknown]>): string {
  const { comparison, bad, fates, account, requests, memory, outageGrowth, violations } = verdict;
  const stale = comparison.different.filter((id) => !bad.has(id)).length;
  const missing = comparison.missing.filter((id) => !bad.has(id)).length;
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const rows: Array<readonly [string, unknown]> = [
    ...more,
    ['leads', `${comparison.compared} (${comparison.withoutEmail} without an email, ${bad.size} bad)`],
    ['good users missing, stale', `${missing}, ${stale}`],
    ['changes by outcome', list(fates.kinds)],
    ['accounting gap, by the console', `${fates.gap}, ${account.gap}`],
    ['outcomes told again', fates.repeatedOutcomes],
    ['dead records', fates.deadRecords],
    ['dead letters by code', list(fates.deadByCode)],
    ['dead letters told again', fates.repeatedDeadLetters],
    ['requests, bulk requests, users', `${requests.requests}, ${requests.bulk}, ${requests.bulkUsers}`],
    ['worst window', requests.worst === null ? 'none' : windowText(requests.worst)],
    ["429s of the bucket's own", requests.ownRateLimits],
    ['refused as a whole', `${(requests.refusedShare * 100).toFixed(1)} % of the bulk requests`],
    ['requests that met a fault', list(requests.struck)],
    ...memory.map(
      ({ phase, min, max, last }) => [`active writer, ${phase}`, `${min}-${max} MiB, at the end ${last}`] as const,
    ),
    ['growth in the outage', `${outageGrowth.mib} MiB in the last third of ${outageGrowth.samples} looks`],
    ['violations', violations.length],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${String(value)}`).join('\n');
}

const windowText = ({ requests, seconds, excess }: NonNullable<RequestSummary['worst']>) =>
  `${requests} in ${seconds.toFixed(2)} s, ${(-excess).toFixed(2)} below 5 t + 1`;
