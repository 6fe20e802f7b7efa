import { classifyBulkAnswer, encodeRequest, isCallError, type BulkVerdict, type IterableClient } from '@libs/iterable';
import type { Metrics } from '@libs/observability';
import { afterAnswer, afterFailure, afterSplit, type Consequence } from './answers.js';
import type { FieldBook } from './fields/field-book.js';
import type { Gate } from './gate.js';
import { everyoneIn, newPiece, sidesOf, type Piece, type Sending } from './piece.js';
import { afterRepair, repairable } from './repair.js';

export interface ExchangeParts {
  readonly client: IterableClient;
  readonly gate: Gate;
  readonly fields: FieldBook;
  readonly metrics: Metrics;
}

export interface ExchangeEvents {
  /** Writes down, before the first request to a profile, where data may be from then on. */
  intend(sendings: readonly Sending[]): Promise<void>;
  /** Resolves when the request may leave, and counts it; `false`: it is broken off. */
  depart(signal: AbortSignal): Promise<boolean>;
}

/** One bulk request and its answer: what follows from it for everyone in the piece. */
export class Exchange {
  constructor(
    private readonly parts: ExchangeParts,
    private readonly events: ExchangeEvents,
  ) {}

  async run(piece: Piece, signal: AbortSignal, requestId: string): Promise<Consequence> {
    const { metrics, gate, client, fields } = this.parts;
    const { sendings, lane } = piece;
    const body = encodeRequest(sendings, { createNewFields: fields.createNewFields });
    for (const { entry } of sendings) entry.attempts += 1;
    await this.events.intend(sendings);
    if (!(await this.events.depart(signal))) return brokenOff(piece);
    metrics.writerBatchUsers.observe({ lane }, sendings.length);
    metrics.writerBatchBytes.observe({ lane }, Buffer.byteLength(body));
    const stopClock = metrics.writerRequestSeconds.startTimer();
    const answer = await client.bulkUpdateUsers(body, signal).catch((error: unknown) => {
      if (isCallError(error)) return error;
      if (signal.aborted) return null;
      throw error;
    });
    stopClock();
    if (answer === null) return brokenOff(piece);
    const verdict = classifyBulkAnswer(sendings, answer);
    metrics.writerRequests.inc({ lane, code: codeOf(verdict) });
    if (verdict.kind === 'retry' || verdict.kind === 'refused') {
      const nowMs = Date.now();
      const waitMs = gate.failed(verdict, piece.attempt, nowMs);
      // Limited: not for what is in the piece. Refused: maybe for a field that only those have who ride along.
      if (waitMs === null) return { ended: [], next: sidesOf(piece) };
      return { ended: [], next: afterFailure(piece, nowMs + waitMs, !gate.paused) };
    }
    gate.answered();
    if (verdict.kind === 'answered') fields.noticed(verdict);
    const repaired = await this.repair(piece, verdict, requestId, signal).catch((error: unknown) => {
      if (signal.aborted) return brokenOff(piece);
      throw error;
    });
    if (repaired !== null) return repaired;
    return verdict.kind === 'split' ? afterSplit(piece, verdict, requestId) : afterAnswer(piece, verdict, requestId);
  }

  /** Values of another type than their fields have, converted: they go again. `null`: none can be, or that is not the matter. */
  private async repair(
    piece: Piece,
    verdict: Extract<BulkVerdict, { kind: 'answered' | 'split' }>,
    requestId: string,
    signal: AbortSignal,
  ): Promise<Consequence | null> {
    const { sendings, mismatches } = repairable(piece, verdict);
    if (sendings.length === 0) return null;
    const repaired = await this.parts.fields.repair(sendings, mismatches, signal);
    return repaired.size === 0 ? null : afterRepair(piece, verdict, repaired, requestId);
  }
}

/** What is still ours goes again, as one plain request. */
function brokenOff(piece: Piece): Consequence {
  return { ended: [], next: [newPiece(everyoneIn(piece))] };
}

function codeOf(verdict: BulkVerdict): string {
  if (verdict.kind !== 'answered') return verdict.code;
  return verdict.users.every(({ kind }) => kind === 'written') ? 'ok' : 'partial';
}
