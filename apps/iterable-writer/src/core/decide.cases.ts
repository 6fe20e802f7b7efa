import type { Identity, ProjectType, UserMessage } from '@libs/contracts';
import type { Known } from './claims.js';
import { decide, type MessageRef } from './decide.js';
import type { Decision, IdentityView, Policy, Profile } from './decision.js';

/** How the specs of decisions write what is known, what is told, and what is decided. */

export const NONE = { allMarketing: false, channelIds: [], messageTypeIds: [] };
export const ALL = { ...NONE, allMarketing: true };

/** Rows by a short name; `L…` is a Lead, `C…` a Contact, anything else another object. */
export type Rows = Readonly<Record<string, Partial<Identity>>>;

export const typeOf = (id: string) => ({ L: 'Lead', C: 'Contact' })[id[0] ?? ''] ?? 'Member__c';
export const version = (modstampMs: number) => ({ modstampMs, fetchedAtMs: 0 });
export const claim = (email: string, createdMs = 1, more: object = {}) => ({ claim: { email, createdMs, ...more } });

export function viewOf(rows: Rows): IdentityView {
  const known = Object.entries(rows).map(([recordId, row]): Known => ({
    recordId,
    identity: { recordType: typeOf(recordId), version: version(1), ...row },
  }));
  return {
    of: (recordId) => known.find((one) => one.recordId === recordId)?.identity ?? null,
    claimants: (email) => known.filter(({ identity }) => identity.claim?.email === email),
    holders: (email) => known.filter(({ identity }) => identity.email === email),
    users: (userId) =>
      known.filter(
        ({ recordId, identity }) =>
          identity.userId === userId && userId !== recordId && (identity.state ?? 'live') === 'live',
      ),
    convertedInto: (recordId) =>
      known.filter(
        ({ identity }) => identity.convertedTo === recordId && (identity.email ?? identity.userId) !== undefined,
      ),
  };
}

export function message(recordId: string, more: object): MessageRef {
  const base = {
    kind: 'update',
    recordType: typeOf(recordId),
    recordId,
    offsets: ['0:1'],
    jobIds: [],
    commitTimestamp: 0,
  };
  return { ...base, version: version(5), createdMs: 1, ...more } as unknown as UserMessage;
}

export const update = (recordId: string, email: string | null, more: object = {}) =>
  message(recordId, { email, userId: recordId, ...more });
export const removal = (recordId: string, more: object = {}) =>
  message(recordId, { kind: 'removal', gone: true, outcome: 'skipped', reason: 'salesforce.deleted', ...more });
export const rename = (recordId: string, toRecordId: string) => message(recordId, { kind: 'rename', toRecordId });

export const policy = (projectType: ProjectType, more: Partial<Policy> = {}): Policy => ({
  projectType,
  onDelete: 'delete',
  onOptOut: 'unsubscribe',
  settleMs: 60_000,
  ...more,
});

export const name = (profile: Profile) => ('email' in profile ? profile.email : profile.userId);

/** `move a>b, write b | L1 email=b | ask C1 | written`. */
export function show(decision: Decision): string {
  const steps = decision.steps.map((step) => {
    if (step.kind === 'move') return `move ${name(step.from)}>${name(step.to)}`;
    if (step.kind === 'write' && step.email !== undefined) return `write ${name(step.on)} with ${step.email}`;
    return `${step.kind} ${name(step.on)}`;
  });
  const rows = [...decision.rows, ...decision.heirs].map(({ recordId, identity }) => {
    const parts = [
      identity.email === undefined ? '' : `email=${identity.email}`,
      identity.userId === undefined ? '' : `id=${identity.userId}`,
      identity.claim === undefined ? '' : `claims=${identity.claim.email}`,
      identity.state ?? '',
      identity.forgotten ?? '',
    ];
    return [recordId, ...parts.filter((part) => part !== '')].join(' ');
  });
  const asked =
    decision.redrives.length === 0 ? [] : [`ask ${decision.redrives.map(({ recordId }) => recordId).join()}`];
  const ending = 'reason' in decision.ending ? decision.ending.reason : decision.ending.kind;
  return [steps.join(', ') || '-', rows.join('; ') || '-', ...asked, ending].join(' | ');
}

export const decided = (projectType: ProjectType, rows: Rows, about: MessageRef, more: Partial<Policy> = {}) =>
  show(decide(about, viewOf(rows), policy(projectType, more)));
