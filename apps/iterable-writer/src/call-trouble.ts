import { backoffMs, refusedReasons, type RefusedCode } from '@libs/iterable';
import type { Health, Logger } from '@libs/observability';
import type { Step } from './core/decision.js';

const CHECK = 'iterable-calls';
/** Tries of one call without an answer that count as trouble. */
const TROUBLE_FROM = 5;
const RETRY = { firstMs: 500, maxMs: 30_000 };
/** A refused call is tried again when somebody may have acted. Milliseconds. */
const REFUSED = { firstMs: 15_000, maxMs: 300_000 };

/**
 * Calls about single profiles that get no usable answer. Each waits by itself and is tried again; bulk updates go on, which
 * have a gate of their own. Readiness says so while it lasts (Invariant 7).
 */
export class CallTrouble {
  private readonly kinds = new Map<Step['kind'], string>();

  constructor(private readonly parts: { readonly health: Health; readonly logger: Logger }) {
    parts.health.set(CHECK, true);
  }

  /** How long until the next try. `attempt`: failures before this one. Milliseconds. */
  failed(kind: Step['kind'], code: string, attempt: number): number {
    const refused = code in refusedReasons;
    if (refused || attempt + 1 >= TROUBLE_FROM) {
      const why = refused ? refusedReasons[code as RefusedCode] : `Iterable gives no usable answer (${code}).`;
      if (!this.kinds.has(kind)) this.parts.logger.error({ call: kind, code }, 'calls about profiles fail');
      this.kinds.set(kind, why);
      this.show();
    }
    return backoffMs(attempt, Math.random(), refused ? REFUSED : RETRY);
  }

  answered(kind: Step['kind']): void {
    if (this.kinds.delete(kind)) this.show();
  }

  private show(): void {
    const [first] = this.kinds;
    if (first === undefined) this.parts.health.set(CHECK, true);
    else this.parts.health.set(CHECK, false, `${first[0]}: ${first[1]} Trying again; everything else goes on.`);
  }
}
