import type { NewFieldPolicy, ProfileSchema, ProjectType } from '@libs/contracts';
import {
  bulkBody,
  classifyBulkAnswer,
  encodeRequest,
  isCallError,
  type BulkVerdict,
  type IterableClient,
  type ProfileCalls,
} from '@libs/iterable';
import type { Logger, Metrics } from '@libs/observability';
import { seedFields, seedProfile } from './seed.js';
import type { Gate } from '../gate.js';
import { pause } from '../pause.js';

/** So many requests without a usable answer, while others get theirs: it is the seed that Iterable cannot take. */
const GIVE_UP_AFTER = 5;

type Answered = Extract<BulkVerdict, { readonly kind: 'answered' }>;

export interface SeedOptions {
  readonly projectType: ProjectType;
  readonly newFields: NewFieldPolicy;
  /** Between the update and the deletion of the profile. Milliseconds. */
  readonly settleMs: number;
}

/** `createNewFields` of a bulk request; absent: the project's own setting decides. */
export function createsNewFields(policy: NewFieldPolicy): boolean | undefined {
  return policy === 'project' ? undefined : policy === 'create';
}

export interface FieldSeedParts {
  readonly client: IterableClient;
  readonly calls: Pick<ProfileCalls, 'run'>;
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Gives new fields their types: one bulk update of a profile that nobody mails, with a value of each type that cannot be mistaken.
 * One request, so that fields are not made by several at a time, which Iterable warns of. The profile is deleted when that has
 * settled; a process that ends before leaves it, with nothing in it but these values.
 */
export class FieldSeed {
  private timer: NodeJS.Timeout | null = null;
  private closing = new AbortController();

  constructor(
    private readonly parts: FieldSeedParts,
    private readonly options: SeedOptions,
  ) {}

  /** `null`: Iterable does not take it; the fields get their types by their first values. Waits for the world. */
  async plant(schema: ProfileSchema, paths: readonly string[], signal: AbortSignal): Promise<Answered | null> {
    const { client, gate, metrics, logger } = this.parts;
    const createNewFields = createsNewFields(this.options.newFields);
    const user = bulkBody(seedProfile(this.options.projectType), JSON.stringify(seedFields(schema, paths)), {});
    let failures = 0;
    while (failures < GIVE_UP_AFTER) {
      await gate.turn(signal);
      const answer = await client.bulkUpdateUsers(encodeRequest([user], { createNewFields }), signal).catch(orError);
      const verdict = classifyBulkAnswer([user], answer);
      if (verdict.kind === 'retry' || verdict.kind === 'refused') {
        const waitMs = gate.failed(verdict, failures, Date.now());
        // Limited or refused: that is nobody's fault in here.
        if (waitMs === null) continue;
        failures = gate.paused ? 0 : failures + 1;
        await pause(waitMs, signal);
        continue;
      }
      gate.answered();
      if (verdict.kind === 'answered' && verdict.users[0]?.kind === 'written') {
        metrics.writerSeededFields.inc(verdict.createdFields.length);
        this.clearUp();
        return verdict;
      }
      break;
    }
    logger.warn({ fields: paths.length }, 'Iterable does not take the values that fix the types of new fields');
    return null;
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.closing.abort();
    this.closing = new AbortController();
  }

  private clearUp(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.deleteProfile();
    }, this.options.settleMs);
  }

  private async deleteProfile(): Promise<void> {
    const { calls, logger } = this.parts;
    const { signal } = this.closing;
    try {
      const { kind } = await calls.run({ kind: 'delete', profile: seedProfile(this.options.projectType) }, signal);
      if (kind !== 'done' && kind !== 'already')
        logger.warn({ verdict: kind }, 'the profile that gave new fields their types is still there');
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, 'cannot delete the profile that gave new fields their types');
    }
  }
}

function orError(error: unknown) {
  if (isCallError(error)) return error;
  throw error;
}
