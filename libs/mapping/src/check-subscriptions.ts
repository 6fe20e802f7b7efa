import { Findings, type CheckedMapping, type MappingFindings } from './check-finding.js';
import type { Mapping } from './mapping.js';
import { list } from './read-block.js';

/** What can be unsubscribed from in an Iterable project, names by id. */
export interface ProjectSubscriptions {
  readonly channels: ReadonlyMap<number, string>;
  readonly messageTypes: ReadonlyMap<number, string>;
}

/** Most names that a message tells. */
const MOST_NAMED = 10;

/** Does a mapping name channels or message types, so that the project must be asked for them? */
export function namesSubscriptions({ consent }: Mapping): boolean {
  if (consent === undefined || consent === 'none') return false;
  return consent.some(({ channelIds, messageTypeIds }) => channelIds.length + messageTypeIds.length > 0);
}

/** Checks what an opt-out unsubscribes from against what the project has: a record with an unknown one ends dead. */
export function checkSubscriptions(
  { mapping, places }: CheckedMapping,
  { channels, messageTypes }: ProjectSubscriptions,
): MappingFindings {
  const findings = new Findings();
  if (mapping.consent === undefined || mapping.consent === 'none') return findings;
  for (const { source, channelIds, messageTypeIds } of mapping.consent) {
    const at = { file: mapping.file, ...(places.sources.get(source) ?? places.object) };
    const check = (what: string, ids: readonly number[], known: ReadonlyMap<number, string>) => {
      for (const id of ids.filter((one) => !known.has(one))) {
        findings.add('error', at, {
          code: 'mapping.unknown_subscription',
          message: `the consent rule of "${source}" names the ${what} ${id}, which the Iterable project does not have; it has ${named(known)}`,
        });
      }
    };
    check('channel', channelIds, channels);
    check('message type', messageTypeIds, messageTypes);
  }
  return findings;
}

function named(known: ReadonlyMap<number, string>): string {
  const names = [...known].map(([id, name]) => `${id} (${name})`);
  if (names.length === 0) return 'none';
  return names.length <= MOST_NAMED
    ? list(names)
    : `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`;
}
