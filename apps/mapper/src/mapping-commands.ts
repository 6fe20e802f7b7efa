import { MAPPING_TARGET, mappingReload, targetOfCommand, topics, type Command, type Status } from '@libs/contracts';
import { decode, type Claim, type EventLog } from '@libs/event-log';
import type { Metrics } from '@libs/observability';
import { versionsOf, type LiveMappings } from '@libs/service';
import { MAPPER, type MappingStatus } from './mapping-status.js';

/** Most status messages read back to find which commands are answered: a repeat of an older one is answered again. */
const READ_BACK = 20_000;
const RELOAD = 'mapping.reload';

export interface MappingCommandsParts {
  readonly log: Pick<EventLog, 'append' | 'read' | 'offsets'>;
  readonly metrics: Pick<Metrics, 'commands'>;
  readonly mappings: Pick<LiveMappings, 'inForce' | 'state' | 'reload'>;
  readonly status: Pick<MappingStatus, 'said'>;
}

type Answer = Pick<Status, 'data'> & { readonly type: 'accepted' | 'completed' | 'rejected' };

/**
 * Carries out the commands of the mapping. The topic has one partition, so of several mappers one takes a command; it knows
 * from the status topic what was answered before, so that an id is answered once, whoever had the partition then.
 */
export class MappingCommands {
  private claim: Claim | null = null;
  private answered = new Set<string>();

  constructor(private readonly parts: MappingCommandsParts) {}

  /** Resolves when the answer is durable. Errors: those of the log. */
  async take({ id, type, data }: Command, claim: Claim): Promise<void> {
    if (targetOfCommand(type) !== MAPPING_TARGET) return; // another service's
    if (this.claim !== claim) {
      this.answered = await this.readAnswered(claim.signal);
      this.claim = claim;
    }
    if (this.answered.has(id)) return;
    const answer = await this.carryOut(type, data);
    // What followed from the command is told before its answer: who waits for the answer has seen it
    await this.parts.status.said();
    const value: Status = { id, ...answer, time: Date.now(), by: MAPPER };
    await this.parts.log.append([{ topic: topics.status, key: id, value }]);
    this.parts.metrics.commands.inc({ type: type === RELOAD ? RELOAD : 'unknown', outcome: answer.type });
    this.answered.add(id);
  }

  private async carryOut(type: string, data: Command['data']): Promise<Answer> {
    if (type !== RELOAD) return rejected(`unknown command type "${type}"; known: ${RELOAD}`);
    const parsed = mappingReload.safeParse(data);
    if (!parsed.success) {
      return rejected(
        parsed.error.issues.map(({ path, message }) => `${['data', ...path].join('.')}: ${message}`).join('; '),
      );
    }
    const { mappings } = this.parts;
    const changed = await mappings.reload();
    const { state } = mappings;
    const versions = versionsOf(mappings.inForce);
    if (state.kind === 'refused') {
      const mistakes = [...state.mistakes];
      return rejected('the mapping files are refused: the last good version stays in force', { mistakes, versions });
    }
    if (state.kind === 'in-force') return { type: 'completed', data: { versions, changed: [...changed] } };
    // mapping-applied or mapping-refused says later what became of it
    return { type: 'accepted', data: { reason: `the files cannot be checked yet: ${state.reason}`, versions } };
  }

  private async readAnswered(signal: AbortSignal): Promise<Set<string>> {
    const ends = await this.parts.log.offsets(topics.status);
    const from = Object.fromEntries(
      ends.map(({ partition, earliest, next }) => [partition, Math.max(earliest, next - READ_BACK)]),
    );
    const answered = new Set<string>();
    for await (const records of this.parts.log.read(topics.status, { from, untilEnd: true, signal })) {
      for (const { value } of records) {
        const decoded = decode(topics.status, value);
        if (decoded.ok && decoded.value.by === MAPPER) answered.add(decoded.value.id);
      }
    }
    return answered;
  }
}

function rejected(reason: string, more: Status['data'] = {}): Answer {
  return { type: 'rejected', data: { reason, ...more } };
}
