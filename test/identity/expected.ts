import { isDeepStrictEqual } from 'node:util';
import { Facts, imageOf, type Rules, type ShownProfile } from './model.js';
import type { Org, OrgRecord } from './org.js';

/**
 * Everything in which what Iterable shows differs from what the rules ask for; empty: all is right.
 *
 * Input: the profiles of this org's records and addresses alone, when nothing is on its way any more.
 */
export function differences(org: Org, profiles: readonly ShownProfile[], rules: Rules): string[] {
  const facts = new Facts(org, rules);
  return rules.projectType === 'email' ? byAddress(facts, profiles, rules) : byRecord(facts, profiles, rules);
}

/** A profile is an address: it has the data of the owner, and of nobody else. */
function byAddress(facts: Facts, profiles: readonly ShownProfile[], rules: Rules): string[] {
  const wrong: string[] = [];
  const shown = Map.groupBy(profiles, ({ email }) => email ?? '(none)');
  for (const address of facts.claimants.keys()) {
    const owner = facts.ownerOf(address) as OrgRecord;
    const [profile, ...more] = shown.get(address) ?? [];
    if (profile === undefined) {
      if (!mayBeForgotten(facts, address, rules)) wrong.push(`${address}: no profile; ${owner.id} owns it`);
      continue;
    }
    if (more.length > 0) wrong.push(`${address}: ${more.length + 1} profiles`);
    wrong.push(...unlikeImage(address, profile, owner));
    wrong.push(
      ...consent(address, profile, {
        must: facts.isOptedOut(address),
        may: facts.mayBeUnsubscribed(address),
      }),
    );
  }
  for (const [address, [profile]] of shown) {
    if (facts.claimants.has(address) || profile === undefined) continue;
    wrong.push(...unclaimed(facts, address, profile, rules));
  }
  return wrong;
}

/** A profile at an address that nobody claims any more. */
function unclaimed(facts: Facts, address: string, profile: ShownProfile, { onDelete }: Rules): string[] {
  const once = facts.onceAt(address);
  if (once.length === 0) return [`${address}: a profile, though nobody ever had the address`];
  // Whoever has no address now keeps the profile that it had.
  if (once.some((record) => facts.isWithoutAddress(record))) return [];
  // Nor can a profile move to an address that was forgotten.
  if (
    once.some((record) =>
      mayBeForgotten(facts, facts.claimOf(facts.heirOf(record)), { projectType: 'email', onDelete }),
    )
  )
    return [];
  // Addresses that were left for another move along, so only a deleted record can have left its profile here.
  const deleted = once.filter(({ id }) => facts.isGone(id));
  const stays = onDelete === 'ignore' || onDelete === 'flag' || onDelete === 'unsubscribe';
  if (deleted.length === 0) return [`${address}: a profile, though whoever had the address has moved`];
  if (!stays) return [`${address}: a profile, though whoever had the address is deleted`];
  return marked(address, profile, onDelete);
}

/** Each record has a profile of its own; an address is on its owner's only. */
function byRecord(facts: Facts, profiles: readonly ShownProfile[], rules: Rules): string[] {
  const wrong: string[] = [];
  const shown = Map.groupBy(profiles, ({ userId }) => userId ?? '(none)');
  const { onDelete } = rules;
  for (const record of facts.records) {
    const [profile, ...more] = shown.get(record.id) ?? [];
    shown.delete(record.id);
    if (more.length > 0) wrong.push(`${record.id}: ${more.length + 1} profiles`);
    if (facts.isLive(record)) {
      wrong.push(...ofLive(facts, record, profile, rules));
    } else if (profile !== undefined) {
      if (facts.goesOn(record)) {
        wrong.push(`${record.id}: a profile, though the Lead goes on as ${record.convertedTo}`);
      } else if (onDelete === 'delete' || onDelete === 'forget') {
        wrong.push(`${record.id}: a profile, though it is deleted`);
      } else {
        wrong.push(...marked(record.id, profile, onDelete));
      }
    }
  }
  for (const userId of shown.keys()) wrong.push(`${userId}: a profile of no record`);
  for (const [address, holders] of Map.groupBy(profiles, ({ email }) => email ?? '')) {
    const owner = facts.ownerOf(address);
    if (owner === undefined) continue;
    for (const { userId } of holders) {
      // Where Iterable lets two profiles share an address, one that a dying writer wrote may keep it once its record is deleted
      const unknown = rules.crashed === true && rules.projectType === 'user-id' && facts.isGone(userId);
      if (userId !== owner.id && !unknown)
        wrong.push(`${userId ?? 'a profile without a user id'}: has ${address} of ${owner.id}`);
    }
  }
  return wrong;
}

function ofLive(facts: Facts, record: OrgRecord, profile: ShownProfile | undefined, rules: Rules): string[] {
  const claim = facts.claimOf(record);
  if (profile === undefined) {
    const forgotten = rules.onDelete === 'forget' && (facts.wasEverGone(record) || mayBeForgotten(facts, claim, rules));
    return forgotten ? [] : [`${record.id}: no profile`];
  }
  const wrong = unlikeImage(record.id, profile, record);
  const address = claim !== null && facts.ownerOf(claim)?.id === record.id ? claim : null;
  if (profile.email !== address && !mayBeForgotten(facts, address, rules)) {
    wrong.push(`${record.id}: email is ${profile.email}, not ${address}`);
  }
  wrong.push(
    ...consent(record.id, profile, {
      // No mail goes to a profile without an address
      must: address !== null && facts.isOptedOut(address),
      may: facts.mayBeUnsubscribed(record.id),
    }),
  );
  return wrong;
}

/** Once a person was forgotten Iterable takes no data for the address again; nothing here takes that back. */
function mayBeForgotten(facts: Facts, address: string | null, { onDelete }: Rules): boolean {
  return onDelete === 'forget' && address !== null && facts.onceAt(address).some((record) => facts.wasEverGone(record));
}

function unlikeImage(what: string, profile: ShownProfile, record: OrgRecord): string[] {
  const image = imageOf(record);
  if (isDeepStrictEqual(profile.data, image)) return [];
  return [`${what}: has ${JSON.stringify(profile.data)}, not ${JSON.stringify(image)}`];
}

/** What must show on the profile of a deleted record that nobody else claims. */
function marked(what: string, profile: ShownProfile, onDelete: Rules['onDelete']): string[] {
  const salesforce = profile.data['Salesforce'] as { Id?: unknown; Deleted?: unknown } | undefined;
  // A writer that died before a first write does not know whether there is a profile: it may get the flag and nothing else
  const onlyFlag = isDeepStrictEqual(profile.data, { Salesforce: { Deleted: true } });
  if (onDelete === 'flag' && !onlyFlag && (salesforce?.Deleted !== true || salesforce.Id === undefined)) {
    return [`${what}: is deleted and not flagged: ${JSON.stringify(profile.data)}`];
  }
  return onDelete === 'unsubscribe' && !profile.unsubscribed ? [`${what}: is deleted and not unsubscribed`] : [];
}

function consent(what: string, profile: ShownProfile, { must, may }: { must: boolean; may: boolean }): string[] {
  if (must && !profile.unsubscribed) return [`${what}: somebody opted out, and it is not unsubscribed`];
  return !must && !may && profile.unsubscribed ? [`${what}: is unsubscribed, and nobody ever asked for it`] : [];
}
