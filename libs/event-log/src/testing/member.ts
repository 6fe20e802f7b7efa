/*
 * A member of a group as a process of its own, to be killed or frozen by a test. Reads its orders from the first argument and
 * tells, one JSON line each, what happens.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { makeTopic, numberOf, openLog, type OpenOptions, type Place } from './adapters.js';
import type { Assignment, Claim } from '../port.js';

export interface Orders {
  readonly place: Place;
  readonly options?: OpenOptions;
  readonly group: string;
  /** `consume` handles records; `lease` holds role 0 and saves a cursor again and again. */
  readonly role: 'consume' | 'lease';
  readonly assignment?: Assignment;
  readonly maxRecords?: number;
  /** How long each handler call takes. Milliseconds. */
  readonly handleMs?: number;
  /** Commit again whatever was done last, at this interval: what a frozen member does when it wakes up. Milliseconds. */
  readonly recommitMs?: number;
}

/** One line of a member. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'assigned'; readonly partitions: readonly number[] }
  | { readonly kind: 'handled'; readonly partition: number; readonly numbers: readonly number[] }
  | { readonly kind: 'lease'; readonly cursor: string | null }
  | { readonly kind: 'saved'; readonly cursor: string }
  | { readonly kind: 'lost'; readonly error: string }
  | { readonly kind: 'crash'; readonly error: string };

const tell = (report: Report) => process.stdout.write(`${JSON.stringify(report)}\n`);

async function main(orders: Orders): Promise<void> {
  const { place, options, group, role, assignment, maxRecords, handleMs = 0, recommitMs } = orders;
  const log = openLog(place, options);
  const topic = makeTopic();
  const onCrash = (error: Error) => tell({ kind: 'crash', error: error.message });
  if (role === 'lease') {
    await log.holdLease(
      { group, role: 0, topic },
      async ({ signal, cursor, saveCursor }) => {
        tell({ kind: 'lease', cursor });
        for (let n = 0; !signal.aborted; n += 1) {
          const next = `${process.pid}:${n}`;
          try {
            await saveCursor(next);
            tell({ kind: 'saved', cursor: next });
          } catch (error) {
            tell({ kind: 'lost', error: (error as Error).name });
            return;
          }
          await wait(50);
        }
      },
      onCrash,
    );
  } else {
    const last = new Map<Claim, number>();
    await log.consume(
      { group, topics: [topic], assignment, maxRecords },
      {
        onCrash,
        onAssigned: (claims) => tell({ kind: 'assigned', partitions: claims.map(({ partition }) => partition) }),
        onRecords: async (records, claim) => {
          if (handleMs > 0) await wait(handleMs);
          tell({ kind: 'handled', partition: claim.partition, numbers: records.map(numberOf) });
          const next = (records.at(-1)?.offset ?? 0) + 1;
          last.set(claim, next);
          await claim.commit(next);
        },
      },
    );
    if (recommitMs !== undefined) {
      setInterval(() => {
        for (const [claim, next] of last) void claim.commit(next, 'by a member that was frozen');
      }, recommitMs);
    }
  }
  // From here the freeze never falls into a transaction of SQLite, which would hold up every other process too.
  process.on('SIGUSR2', () => process.kill(process.pid, 'SIGSTOP'));
  tell({ kind: 'ready' });
  process.once('SIGTERM', () => {
    void log.close().then(() => process.exit(0));
  });
}

await main(JSON.parse(process.argv[2] ?? '{}') as Orders);
