import type { Command, DeadLetter, LetterSelection, Outcome, Status } from '@libs/contracts';
import { noAccount, type AccountingAnswer } from './core/accounting-answers.js';
import type {
  DeadLettersAnswer,
  FlowAnswer,
  HealthAnswer,
  Job,
  MappingAnswer,
  MappingsAnswer,
  ServiceHealth,
} from './core/answers.js';
import { addDeadLetters, noDeadLetters, toDeadLettersAnswer } from './core/dead-letters.js';
import { addOutcomes, emptyFlow, toFlowAnswer } from './core/flow.js';
import { addCommand, addStatus, listJobs, noJobs } from './core/jobs.js';
import { addToMappingHistory, noMappingHistory, withoutBeginning } from './core/mapping-history.js';
import { planMappings, type PlannedVersion } from './core/mapping-plan.js';
import { addMappingStatus, noMappings } from './core/mappings.js';
import { toHealth, type Knowledge } from './core/overview.js';
import { addSample, noHistory, type Sample } from './core/positions.js';

/** What someone who follows the topics is told. */
export interface ModelListener {
  onStatus(status: Status): void;
  onOutcomes(outcomes: readonly Outcome[]): void;
}

/** What the console knows, in memory and bounded (invariant 5); everything in it can be read again from the log. */
export class ConsoleModel {
  private knowledge: Knowledge = {
    flow: emptyFlow,
    jobs: noJobs,
    history: noHistory,
    floors: new Map(),
    services: [],
    log: { reachable: true },
    mappings: noMappings,
    account: noAccount,
  };
  private letters = noDeadLetters;
  private mappingHistory = noMappingHistory;
  /** Outcomes before it were not read; `null`: all were. Epoch milliseconds. */
  private outcomesFrom: number | null = null;
  private lettersComplete = true;
  private readonly listeners = new Set<ModelListener>();

  constructor(private readonly catchingUpAfterMs: number) {}

  outcomes(outcomes: readonly Outcome[]): void {
    this.learn({ flow: addOutcomes(this.knowledge.flow, outcomes, Date.now()) });
    for (const listener of this.listeners) listener.onOutcomes(outcomes);
  }

  status(status: Status): void {
    const { jobs, mappings } = this.knowledge;
    this.learn({ jobs: addStatus(jobs, status), mappings: addMappingStatus(mappings, status) });
    this.mappingHistory = addToMappingHistory(this.mappingHistory, status);
    for (const listener of this.listeners) listener.onStatus(status);
  }

  command(command: Command, timeMs: number): void {
    this.learn({ jobs: addCommand(this.knowledge.jobs, command, timeMs) });
  }

  deadLetters(letters: readonly DeadLetter[]): void {
    this.letters = addDeadLetters(this.letters, letters);
  }

  sample(sample: Sample): void {
    this.learn({ history: addSample(this.knowledge.history, sample) });
  }

  services(services: readonly ServiceHealth[]): void {
    this.learn({ services });
  }

  account(account: AccountingAnswer): void {
    this.learn({ account });
  }

  log(reachable: boolean, detail?: string): void {
    this.learn({ log: reachable ? { reachable } : { reachable, detail } });
  }

  /** Outcomes are read from here on only: what was under way in the batcher and before it can still be told. */
  outcomesCut(floors: ReadonlyMap<number, number>): void {
    this.learn({ floors });
  }

  /** The first outcome read of a partition whose older ones were left out. Epoch milliseconds. */
  outcomesCompleteFrom(timeMs: number): void {
    this.outcomesFrom = Math.max(this.outcomesFrom ?? 0, timeMs);
  }

  /** Status messages are read from here on only: since when a mapping is in force may not be told. */
  statusCut(): void {
    this.mappingHistory = withoutBeginning(this.mappingHistory);
  }

  deadLettersCut(): void {
    this.lettersComplete = false;
  }

  health(now = Date.now()): HealthAnswer {
    return toHealth(this.knowledge, this.catchingUpAfterMs, now);
  }

  flow(minutes: number, now = Date.now()): FlowAnswer {
    return toFlowAnswer(this.knowledge.flow, minutes, now, this.outcomesFrom);
  }

  backfills(): Job[] {
    return listJobs(this.knowledge.jobs);
  }

  backfill(id: string): Job | null {
    return this.knowledge.jobs.get(id) ?? null;
  }

  mappings(): MappingsAnswer {
    return this.knowledge.mappings.view;
  }

  accounting(): AccountingAnswer {
    return this.knowledge.account;
  }

  /** Which objects need a backfill; `local`: versions of files to be shipped. */
  planMappings(local: Readonly<Record<string, string>> | null): readonly PlannedVersion[] {
    return planMappings(this.mappingHistory, local);
  }

  /** What the mapper answered to a command, `null` if it has not. */
  mappingAnswer(id: string): MappingAnswer | null {
    return this.knowledge.mappings.answers.get(id) ?? null;
  }

  /** `limit`: most references of each code. */
  deadLetterGroups(selection?: LetterSelection, limit?: number): DeadLettersAnswer {
    return toDeadLettersAnswer(this.letters, this.lettersComplete, selection, limit);
  }

  /** Tells `listener` of what arrives from now on. Gives the function that ends it. */
  subscribe(listener: ModelListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private learn(news: Partial<Knowledge>): void {
    this.knowledge = { ...this.knowledge, ...news };
  }
}
