import type { Identity, UserRemoval, UserUpdate } from '@libs/contracts';
import {
  lockOf,
  pointerOf,
  profileOf,
  type Decision,
  type IdentityView,
  type Policy,
  type Profile,
  type Step,
} from './decision.js';
import { calledBy, settled } from './settle.js';

/** A message about a record that is no person: its fields are part of the profile of the Lead or Contact that it belongs to. */
type Attached = (Omit<UserUpdate, 'dataFields'> | UserRemoval) & { readonly belongsTo: string };

/**
 * Writes on the profile of the person, if there is one: a record that is no person never makes a profile. Deleted, it takes its
 * fields away again.
 */
export function decideAttached(message: Attached, view: IdentityView, policy: Policy): Decision {
  const { recordId, recordType, version, belongsTo } = message;
  const own = view.of(recordId);
  const person = personOf(belongsTo, view);
  const pointer = pointerOf(policy.projectType, person?.identity ?? null);
  const on = person === null || pointer === undefined ? null : profileOf(policy.projectType, pointer);
  const steps = on === null ? [] : stepsOf(message, on);
  const identity: Identity = {
    recordType,
    version,
    state: message.kind === 'update' ? 'live' : message.gone ? 'gone' : 'withdrawn',
  };
  return {
    steps,
    notBeforeMs: settled([own, person?.identity ?? null], steps, policy.settleMs),
    locks: [
      lockOf.record(recordId),
      ...[belongsTo, ...(person === null ? [] : [person.recordId])].map(lockOf.record),
      ...(on === null ? [] : [lockOf.profile(on)]),
    ],
    rows: [{ recordId, identity, called: calledBy(steps) }],
    heirs: [],
    before: own,
    outranked: false,
    redrives: [],
    ending: endingOf(message, steps, person?.identity ?? null),
    intent: null,
  };
}

function stepsOf(message: Attached, on: Profile): Step[] {
  if (message.kind === 'update') return [{ kind: 'write', on }];
  return message.flagFields === undefined ? [] : [{ kind: 'set', on, fields: message.flagFields }];
}

function endingOf(message: Attached, steps: readonly Step[], person: Identity | null): Decision['ending'] {
  if (steps.length > 0) return { kind: 'written' };
  if (message.kind === 'removal') return { kind: message.outcome, reason: message.reason };
  const outranked = person !== null && person.claim !== undefined;
  return { kind: 'skipped', reason: outranked ? 'writer.outranked' : 'writer.person_not_written' };
}

/** The live person; a converted Lead is its Contact. `null`: not known, or a user no more. */
function personOf(
  recordId: string,
  view: IdentityView,
): { readonly recordId: string; readonly identity: Identity } | null {
  const identity = view.of(recordId);
  if (identity === null) return null;
  if (identity.state === 'converted' && identity.convertedTo !== undefined) {
    const contact = view.of(identity.convertedTo);
    return contact === null || (contact.state ?? 'live') !== 'live'
      ? null
      : { recordId: identity.convertedTo, identity: contact };
  }
  return (identity.state ?? 'live') === 'live' ? { recordId, identity } : null;
}
