import { isOlder, type UserMessage } from '@libs/contracts';
import { decideAttached } from './decide-attached.js';
import { decideRemoval, decideRename } from './decide-removal.js';
import { decideUpdate } from './decide-update.js';
import { lockOf, type Decision, type IdentityView, type Policy } from './decision.js';

/** A message without what is written of it: deciding takes no profile. */
export type MessageRef = UserMessage extends infer M ? (M extends UserMessage ? Omit<M, 'dataFields'> : never) : never;

/**
 * What is to be done about a message, from what is known of its record and of those that share an address with it.
 *
 * Who owns an address follows from the claims alone, so that any order of messages ends in the same state. The lock of a
 * decision names everything that it read: two decisions with a lock in common are made one after the other.
 */
export function decide(message: MessageRef, view: IdentityView, policy: Policy): Decision {
  const own = view.of(message.recordId);
  // Invariant 3: an older update, rename or removal is refused, whatever the lane.
  if (own !== null && isOlder(message.version, own.version)) {
    return nothing([lockOf.record(message.recordId)], { kind: 'superseded', reason: 'writer.stale_version' });
  }
  if (message.kind !== 'rename' && message.belongsTo !== undefined)
    return decideAttached({ ...message, belongsTo: message.belongsTo }, view, policy);
  if (message.kind === 'rename') return decideRename(message, view, policy);
  return message.kind === 'removal' ? decideRemoval(message, view, policy) : decideUpdate(message, view, policy);
}

/** Nothing is done or remembered. */
export function nothing(locks: readonly string[], ending: Decision['ending']): Decision {
  return {
    steps: [],
    notBeforeMs: 0,
    locks,
    rows: [],
    heirs: [],
    redrives: [],
    ending,
    outranked: false,
    before: null,
    intent: null,
  };
}
