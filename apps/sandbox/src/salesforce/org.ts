import type { Faults } from '../faults.js';
import type { EventLog } from './events/event-log.js';
import type { DailyCount } from './http/api-usage.js';
import type { Sessions } from './oauth/sessions.js';
import type { Identity, TokenEndpoint } from './oauth/token-endpoint.js';
import type { SandboxLimits, SandboxTiming } from './options.js';
import type { Schema } from './schema/schema.js';
import type { QueryEngine } from './soql/query-engine.js';
import type { RecordStore } from './store/record-store.js';
import type { Writer } from './writes/writer.js';

/** The parts of the simulated org that its doors share. */
export interface Org {
  /** Epoch milliseconds on the sandbox's clock. */
  now(): number;
  /** Calls back after the sandbox's clock was moved. */
  onClockJump(listener: () => void): void;
  readonly random: () => number;
  readonly faults: Faults;
  readonly timing: SandboxTiming;
  readonly limits: SandboxLimits;
  readonly identity: Identity;
  readonly schema: Schema;
  readonly store: RecordStore;
  readonly queries: QueryEngine;
  readonly writer: Writer;
  readonly events: EventLog;
  readonly sessions: Sessions;
  readonly tokens: TokenEndpoint;
  readonly apiRequests: DailyCount;
  readonly deliveredEvents: DailyCount;
  /** Channel name to the entities whose events it carries. */
  readonly channels: ReadonlyMap<string, readonly string[]>;
  /** CometD clients connected now. */
  cometdClients(): number;
}
