import type { Identity, UserRemoval, UserRename } from '@libs/contracts';
import type { Known } from './claims.js';
import {
  lockOf,
  pointerOf,
  type Decision,
  type IdentityView,
  type Policy,
  type Profile,
  type Row,
  type Step,
} from './decision.js';
import { unionOf } from './opt-outs.js';
import { distinct, left, nextInLine, pointersTo, toProfiles, withoutPointer } from './leaving.js';
import { calledBy, settled } from './settle.js';

/** What a deleted person said no to: everything. */
const EVERYTHING = { allMarketing: true, channelIds: [], messageTypeIds: [] };

/**
 * A record that is a user no more. It gives up its claim; a profile that others claim goes to the first of them, untouched; what
 * becomes of one that nobody else claims, `ON_DELETE` says if the record is gone, and else it stays as it is.
 */
export function decideRemoval(message: UserRemoval, view: IdentityView, policy: Policy): Decision {
  const { recordId, recordType, version, gone } = message;
  const own = view.of(recordId);
  const absorbed = gone ? view.convertedInto(recordId) : [];
  const { moving, redrives, heirs, locks } = left(message, null, absorbed, view, policy);
  const effect = gone ? effectOf(toProfiles(policy, moving), message.flagFields, policy) : noEffect;
  const shared = gone && policy.onDelete !== 'ignore' && moving.length === 0 && redrives.length > 0;
  return {
    steps: effect.steps,
    notBeforeMs: settled([own, ...absorbed.map(({ identity }) => identity)], effect.steps, policy.settleMs),
    locks: [...locks, ...addressLocks(own), lockOf.record(recordId)],
    rows: [
      {
        recordId,
        identity: {
          recordType,
          version,
          ...afterwards(own, moving, effect.kind, policy),
          state: gone ? 'gone' : 'withdrawn',
        },
        called: calledBy(effect.steps),
      },
      ...absorbed.map((lead) => leadAfterwards(lead, moving, effect, policy)),
    ],
    heirs,
    before: own,
    outranked: false,
    redrives: distinct([...redrives, ...nextInLine(message, own, null, view)]),
    ending: endingOf(message, effect, shared),
    intent: null,
  };
}

/**
 * A Lead that was converted. Its profile waits for the Contact, whose own update takes it over: at once if the Contact is known,
 * else when it comes. If the Contact is deleted already, the profile goes its way.
 */
export function decideRename(message: Omit<UserRename, 'dataFields'>, view: IdentityView, policy: Policy): Decision {
  const { recordId, recordType, version, toRecordId } = message;
  const own = view.of(recordId);
  const { moving, redrives, heirs, locks } = left(message, null, [], view, policy);
  const contact = view.of(toRecordId);
  const effect =
    contact?.state === 'gone' ? effectOf(toProfiles(policy, moving), message.flagFields, policy) : noEffect;
  const waits = moving.length > 0 && contact !== null && (contact.state ?? 'live') === 'live';
  const kept = effect.kind === 'removed' ? {} : pointersTo(own, moving, policy);
  const held = policy.projectType !== 'email' && own?.email !== undefined ? { email: own.email } : {};
  return {
    steps: effect.steps,
    notBeforeMs: settled([own], effect.steps, policy.settleMs),
    locks: [...locks, ...addressLocks(own), lockOf.record(recordId), lockOf.record(toRecordId)],
    rows: [
      {
        recordId,
        identity: {
          recordType,
          version,
          ...kept,
          ...held,
          ...lastCallOf(own),
          // What the person said no to goes along: the Contact's row need not say so.
          ...optOutOf(own),
          ...(effect.kind === 'forgotten' ? { forgotten: 'forgotten' as const } : {}),
          state: 'converted',
          convertedTo: toRecordId,
        },
        called: calledBy(effect.steps),
      },
    ],
    heirs,
    before: own,
    outranked: false,
    redrives: distinct([
      ...redrives,
      ...nextInLine(message, own, null, view),
      ...(waits ? [{ recordType: contact.recordType, recordId: toRecordId }] : []),
    ]),
    ending: effect.steps.length > 0 ? { kind: 'written' } : { kind: 'skipped', reason: 'salesforce.converted' },
    intent: null,
  };
}

interface Effect {
  readonly steps: readonly Step[];
  /** What it does to a profile. */
  readonly kind: 'none' | 'kept' | 'removed' | 'forgotten';
  /** Why nothing can be done. */
  readonly reason?: string;
}

const noEffect: Effect = { steps: [], kind: 'none' };

function effectOf(profiles: readonly Profile[], flagFields: UserRemoval['flagFields'], { onDelete }: Policy): Effect {
  if (profiles.length === 0 || onDelete === 'ignore') return noEffect;
  if (onDelete === 'flag') {
    if (flagFields === undefined) return { ...noEffect, reason: 'writer.no_flag_field' };
    return { kind: 'kept', steps: profiles.map((on) => ({ kind: 'set', on, fields: flagFields })) };
  }
  if (onDelete === 'unsubscribe') {
    return { kind: 'kept', steps: profiles.map((on) => ({ kind: 'unsubscribe', on, optOut: EVERYTHING })) };
  }
  return {
    kind: onDelete === 'delete' ? 'removed' : 'forgotten',
    steps: profiles.map((on) => ({ kind: onDelete, on })),
  };
}

function endingOf({ outcome, reason }: UserRemoval, effect: Effect, shared: boolean): Decision['ending'] {
  if (effect.steps.length > 0) return { kind: 'written' };
  if (effect.reason !== undefined) return { kind: 'skipped', reason: effect.reason };
  return shared ? { kind: 'skipped', reason: 'writer.profile_shared' } : { kind: outcome, reason };
}

/** What is still known of its profile: an address or id to begin from when the record comes back. */
function afterwards(
  own: Identity | null,
  moving: readonly string[],
  effect: Effect['kind'],
  policy: Policy,
): Partial<Identity> {
  if (own === null || effect === 'removed') return {};
  const pointer = pointerOf(policy.projectType, own);
  if (own.forgotten === 'forgotten')
    return { ...pointerAs(pointer, policy), forgotten: 'forgotten', ...lastCallOf(own) };
  const pointers = pointersTo(own, moving, policy);
  if (effect === 'forgotten') return { ...pointers, forgotten: 'forgotten' };
  if (moving.length === 0) return {};
  const held = policy.projectType !== 'email' && own.email !== undefined ? { email: own.email } : {};
  return { ...pointers, ...held, ...lastCallOf(own), ...(own.optOut === undefined ? {} : { optOut: own.optOut }) };
}

/** A Lead that was converted into it: should the record come back, a profile that is still there goes on as its own. */
function leadAfterwards(lead: Known, moving: readonly string[], effect: Effect, policy: Policy): Row {
  const row = withoutPointer(lead);
  if (effect.kind === 'removed' || effect.kind === 'forgotten') return row;
  const { email } = lead.identity;
  const held = policy.projectType !== 'email' && email !== undefined ? { email } : {};
  const identity = { ...row.identity, ...pointersTo(lead.identity, moving, policy), ...held };
  return { ...row, identity, called: calledBy(effect.steps) };
}

function pointerAs(identifier: string | undefined, { projectType }: Policy): Pick<Identity, 'email' | 'userId'> {
  if (identifier === undefined) return {};
  return projectType === 'email' ? { email: identifier } : { userId: identifier };
}

function lastCallOf(own: Identity | null): Pick<Identity, 'lastCall'> {
  return own?.lastCall === undefined ? {} : { lastCall: own.lastCall };
}

function optOutOf(own: Identity | null): Pick<Identity, 'optOut'> {
  const optOut = unionOf([own?.claim?.optOut, own?.optOut]);
  return optOut === undefined ? {} : { optOut };
}

function addressLocks(own: Identity | null): string[] {
  return own?.email === undefined ? [] : [lockOf.email(own.email)];
}
