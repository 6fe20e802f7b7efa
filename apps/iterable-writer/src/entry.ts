import type { Lane, ProjectType, UserMessage, Version } from '@libs/contracts';
import type { Delivered } from '@libs/event-log';
import { packUser, profileKeys, type PackedUser } from '@libs/iterable';
import type { UpdateRef } from './core/report.js';
import { toBulkUser } from './core/to-bulk-user.js';
import type { Holding } from './holding.js';

/** An update in our hands: as bytes for the request, and what is needed to account for it. */
export interface Entry extends PackedUser {
  readonly update: UpdateRef;
  readonly version: Version;
  readonly lane: Lane;
  /** Its record and every identifier of its profile: none of them may be in two requests at a time. */
  readonly keys: readonly string[];
  readonly holding: Holding;
  readonly offset: number;
  readonly takenAtMs: number;
  /** Requests that it was part of. */
  attempts: number;
}

/** Takes an update in hand. `sendable`: false when the project cannot know its user. */
export function toEntry(
  { value, offset }: Delivered<UserMessage>,
  { holding, lane, projectType, nowMs }: { holding: Holding; lane: Lane; projectType: ProjectType; nowMs: number },
): { readonly entry: Entry; readonly sendable: boolean } {
  const update = refOf(value);
  const body = value.kind === 'update' ? toBulkUser(value, projectType) : null;
  const packed = packUser(body ?? { dataFields: {} });
  const keys = [`record:${update.recordId}`, ...profileKeys(packed)];
  const entry = {
    ...packed,
    update,
    version: update.version,
    lane,
    keys,
    holding,
    offset,
    takenAtMs: nowMs,
    attempts: 0,
  };
  return { entry, sendable: body !== null };
}

function refOf(message: UserMessage): UpdateRef {
  if (message.kind !== 'update') return message;
  const { dataFields: _profile, ...update } = message;
  return update;
}
