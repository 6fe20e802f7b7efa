import type { Identity, OptOut, UserUpdate } from '@libs/contracts';
import { outranks, type Claimant } from '@libs/mapping';
import { firstOf, others, toClaimant, type Known } from './claims.js';
import { covers, unionOf } from './opt-outs.js';
import {
  lockOf,
  pointerOf,
  profileOf,
  type Decision,
  type Profile,
  type IdentityView,
  type Policy,
  type Row,
  type Step,
} from './decision.js';
import { distinct, left, nextInLine, withoutPointer, type Left } from './leaving.js';
import { calledBy, settled } from './settle.js';

/** An update of a record that is a person. */
type Update = Omit<UserUpdate, 'dataFields'>;

/** Where an update stands among the records that share its address. */
interface Standing {
  readonly own: Identity | null;
  /** The address that it claims; `null`: none. */
  readonly address: string | null;
  /** The other records that claim it. */
  readonly rivals: readonly Known[];
  /** Is the address its own? False without one. */
  readonly owns: boolean;
}

/**
 * The live state of a record. Profiles that were its own, or its converted Leads', and that nobody else claims, move into the
 * profile that it has now; then its data is written, if the profile is its own.
 */
export function decideUpdate(message: Update, view: IdentityView, policy: Policy): Decision {
  return policy.projectType === 'email' ? decideByEmail(message, view, policy) : decideById(message, view, policy);
}

/** A profile is an address: only the record that owns it is written there. */
function decideByEmail(message: Update, view: IdentityView, policy: Policy): Decision {
  const standing = standingOf(message, view);
  const { own, address, rivals, owns } = standing;
  if (address === null) throw new Error('an update without an address cannot be of an email project');
  const absorbed = view.convertedInto(message.recordId);
  const { moving, redrives, heirs, locks } = left(message, address, absorbed, view, policy);
  const moves = moving.map((from): Step => ({ kind: 'move', from: { email: from }, to: { email: address } }));
  const wanted = owns ? optOutOf(message, [...rivals, ...absorbed], policy) : undefined;
  const applied = isThere(own, own?.email === address) ? own?.optOut : undefined;
  const back = owns ? remembered(own, { email: address }, policy) : [];
  const steps = owns
    ? [...back, ...written({ email: address }, message, moves, wanted, applied, isThere(own, own?.email === address))]
    : moves;
  const first = firstOf(rivals);
  const former = formerHolders(message, [...(owns ? [address] : []), ...moving], absorbed, view);
  // A profile merged into another's brings fields along; and the owner is who answers for every claimant's opt-out.
  const ownersTurn = !owns && first !== null && (moves.length > 0 || isNews(message, first, policy));
  return {
    steps,
    notBeforeMs: settled([own, ...identitiesOf([...absorbed, ...view.holders(address)])], steps, policy.settleMs),
    locks: [
      ...locks,
      lockOf.record(message.recordId),
      lockOf.email(address),
      ...[...(first === null ? [] : [first]), ...former].map((one) => lockOf.record(one.recordId)),
    ],
    rows: [
      {
        recordId: message.recordId,
        identity: {
          ...liveRow(message, standing),
          // What is said now: what was once said and taken back must be said again the next time.
          ...(owns ? { email: address, optOut: wanted } : {}),
        },
        called: calledBy(steps),
      },
      ...absorbed.map(withoutPointer),
      ...former.map(withoutPointer),
      // The owner's next write waits until the merge into its profile is done
      ...(!owns && first !== null && moves.length > 0 ? [{ ...withoutOptOut(first), called: calledBy(moves) }] : []),
    ],
    heirs,
    before: own,
    outranked: !owns,
    redrives: distinct([
      ...redrives,
      ...nextInLine(message, own, address, view),
      ...(ownersTurn ? [{ recordType: first.identity.recordType, recordId: first.recordId }] : []),
    ]),
    ending: owns ? { kind: 'written' } : { kind: 'skipped', reason: 'writer.outranked' },
    intent: intentFor(message, own, owns ? address : null, own?.email),
  };
}

/** A profile is a record: it always is written, and carries the address if that is its own. */
function decideById(message: Update, view: IdentityView, policy: Policy): Decision {
  const { userId } = message;
  if (userId === undefined)
    throw new Error('an update without a user id cannot be of a project that knows users by it');
  const standing = standingOf(message, view);
  const { own, address, rivals, owns } = standing;
  const on = { userId };
  const absorbed = view.convertedInto(message.recordId);
  const { moving, redrives, heirs, locks } = left(message, userId, absorbed, view, policy);
  const sharers = others(view.users(userId), message.recordId);
  if (sharers.some((one) => outranks(toClaimant(one), claimantOf(message)))) {
    return yielding(message, userId, own, [...locks, lockOf.profile(on)], { moving, redrives, heirs });
  }
  const moves = moving.map((from): Step => ({ kind: 'move', from: { userId: from }, to: on }));
  const released = owns && address !== null ? toRelease(address, message.recordId, new Set(moving), view) : [];
  const releases = released.map(({ identity }): Step => ({
    kind: 'set',
    on: { userId: identity.userId as string },
    fields: { email: null },
  }));
  const wanted = optOutOf(message, owns ? [...rivals, ...absorbed] : absorbed, policy);
  const applied = isThere(own, own?.userId === userId) ? own?.optOut : undefined;
  const email = message.email === undefined ? {} : { email: owns ? address : null };
  const main = written(on, { ...message, ...email }, moves, wanted, applied, isThere(own, own?.userId === userId));
  const steps = [...remembered(own, on, policy), ...releases, ...main];
  const first = firstOf(rivals);
  const answers = !owns && first !== null && isNews(message, first, policy) ? first : null;
  return {
    steps,
    notBeforeMs: settled([own, ...identitiesOf([...absorbed, ...released])], steps, policy.settleMs),
    locks: [
      ...locks,
      lockOf.record(message.recordId),
      lockOf.profile(on),
      ...[address, own?.email].flatMap((one) => (one === null || one === undefined ? [] : [lockOf.email(one)])),
      ...released.flatMap((one) => [
        lockOf.record(one.recordId),
        lockOf.profile({ userId: one.identity.userId as string }),
      ]),
    ],
    rows: [
      {
        recordId: message.recordId,
        identity: {
          ...liveRow(message, standing),
          userId,
          ...(userId === message.recordId ? {} : { createdMs: message.createdMs ?? 0 }),
          ...(owns && address !== null ? { email: address } : {}),
          optOut: wanted,
        },
        called: calledBy(main),
      },
      ...absorbed.map(withoutPointer),
      ...released.map(({ recordId, identity: { email: _given, ...identity } }): Row => ({
        recordId,
        identity,
        called: 'bulk',
      })),
    ],
    heirs,
    before: own,
    outranked: address !== null && !owns,
    redrives: distinct([
      ...redrives,
      ...nextInLine(message, own, address, view),
      ...(answers === null ? [] : [{ recordType: answers.identity.recordType, recordId: answers.recordId }]),
    ]),
    ending: { kind: 'written' },
    intent: intentFor(message, own, userId, own?.userId),
  };
}

/**
 * A mapping gave its user id to a record that comes before it: the profile is that one's. It keeps the place in line, and a profile
 * that it had alone goes into this one.
 */
function yielding(
  message: Update,
  userId: string,
  own: Identity | null,
  locks: readonly string[],
  { moving, redrives, heirs }: Pick<Left, 'moving' | 'redrives' | 'heirs'>,
): Decision {
  const steps = moving.map((from): Step => ({ kind: 'move', from: { userId: from }, to: { userId } }));
  const { recordType, recordId, version, createdMs = 0 } = message;
  return {
    steps,
    notBeforeMs: 0,
    locks: [...locks, lockOf.record(recordId)],
    rows: [{ recordId, identity: { recordType, version, userId, createdMs }, called: calledBy(steps) }],
    heirs,
    redrives,
    ending: { kind: 'skipped', reason: 'writer.outranked' },
    outranked: true,
    before: own,
    intent: null,
  };
}

function claimantOf({ recordType, recordId, createdMs = 0 }: Update): Claimant {
  return { recordType, recordId, createdMs };
}

function standingOf(message: Update, view: IdentityView): Standing {
  const address = message.email ?? null;
  const rivals = address === null ? [] : others(view.claimants(address), message.recordId);
  const me = claimantOf(message);
  const owns = address !== null && rivals.every((rival) => outranks(me, toClaimant(rival)));
  return { own: view.of(message.recordId), address, rivals, owns };
}

/** The steps that write a user; `known`: the profile is there already, so that an opt-out need not wait for it. */
function written(
  on: Profile,
  message: Pick<Update, 'email'>,
  moves: readonly Step[],
  wanted: OptOut | undefined,
  applied: OptOut | undefined,
  known: boolean,
): Step[] {
  const write: Step =
    'email' in on || message.email === undefined ? { kind: 'write', on } : { kind: 'write', on, email: message.email };
  if (covers(moves.length > 0 ? undefined : applied, wanted) || wanted === undefined) return [...moves, write];
  const optOut: Step = { kind: 'unsubscribe', on, optOut: wanted };
  return known || moves.length > 0 ? [...moves, optOut, write] : [write, optOut];
}

/** A person that this sync had forgotten, because the record was deleted, may be written again now that it is back. */
function remembered(own: Identity | null, on: Profile, { projectType }: Policy): Step[] {
  const pointer = pointerOf(projectType, own);
  if (own?.forgotten !== 'forgotten' || pointer === undefined) return [];
  return lockOf.profile(profileOf(projectType, pointer)) === lockOf.profile(on) ? [{ kind: 'unforget', on }] : [];
}

/**
 * Records that left their profile here, deleted or without an address. It is the new owner's from now on, and goes where that one
 * goes, or moves away with it: were they to come back, they would take an opt-out for said that went along. One that was forgotten is not there to take.
 */
function formerHolders(
  message: Update,
  addresses: readonly string[],
  absorbed: readonly Known[],
  view: IdentityView,
): Known[] {
  return others(
    addresses.flatMap((address) => view.holders(address)),
    message.recordId,
  ).filter(
    ({ recordId, identity }) =>
      identity.claim?.email !== identity.email &&
      identity.forgotten === undefined &&
      !absorbed.some((lead) => lead.recordId === recordId),
  );
}

/** Does a message say no to what the owner of its address is not known to have said no to? The owner answers for every claimant. */
function isNews({ optOut }: Update, owner: Known, { onOptOut }: Policy): boolean {
  return onOptOut === 'unsubscribe' && !covers(owner.identity.optOut, optOut);
}

/** A merge may lose what a profile was unsubscribed from: it is said again. */
function withoutOptOut({ recordId, identity: { optOut: _optOut, ...identity } }: Known): Known {
  return { recordId, identity };
}

/** Is the profile there that is known to be a record's own? Not when the person was forgotten, or a writer died while it moved. */
function isThere(own: Identity | null, isOwn: boolean): boolean {
  return isOwn && own?.forgotten !== 'forgotten' && own?.intents === undefined;
}

function identitiesOf(known: readonly Known[]): Identity[] {
  return known.map(({ identity }) => identity);
}

/** What anybody said no to who claims the address, or whose profile goes into this one. */
function optOutOf(message: Update, rivals: readonly Known[], { onOptOut }: Policy): OptOut | undefined {
  if (onOptOut === 'ignore') return undefined;
  const said = rivals.map(({ identity }) =>
    identity.state === 'converted' ? identity.optOut : identity.claim?.optOut,
  );
  return unionOf([message.optOut, ...said]);
}

/** Whose profiles carry an address that is now another's. */
function toRelease(address: string, recordId: string, moving: ReadonlySet<string>, view: IdentityView): Known[] {
  return others(view.holders(address), recordId).filter(
    ({ identity: { userId } }) => userId !== undefined && !moving.has(userId),
  );
}

function liveRow(message: Update, { own, address }: Standing): Identity {
  const { recordType, version, createdMs = 0, optOut } = message;
  return {
    recordType,
    version,
    ...(address === null ? {} : { claim: { email: address, createdMs, ...(optOut === undefined ? {} : { optOut }) } }),
    ...(own?.lastCall === undefined ? {} : { lastCall: own.lastCall }),
  };
}

/** Written down before the first request to a profile that the record was not known to have. */
function intentFor(
  message: Update,
  own: Identity | null,
  identifier: string | null,
  pointer: string | undefined,
): Row | null {
  const isKnown = identifier === pointer && own?.forgotten !== 'forgotten';
  if (identifier === null || isKnown || own?.intents?.includes(identifier) === true) return null;
  const before: Identity = own ?? { recordType: message.recordType, version: { modstampMs: 0, fetchedAtMs: 0 } };
  return {
    recordId: message.recordId,
    identity: { ...before, intents: [...(before.intents ?? []), identifier] },
    called: null,
  };
}
