import type { OptOut } from '@libs/contracts';

/** Everything that any of them says no to; `undefined`: nobody says no to anything. */
export function unionOf(optOuts: ReadonlyArray<OptOut | undefined>): OptOut | undefined {
  const said = optOuts.filter((one) => one !== undefined);
  if (said.length === 0) return undefined;
  return {
    allMarketing: said.some((one) => one.allMarketing),
    channelIds: distinct(said.flatMap((one) => one.channelIds)),
    messageTypeIds: distinct(said.flatMap((one) => one.messageTypeIds)),
  };
}

/** Is all that `wanted` says no to in `done` already? */
export function covers(done: OptOut | undefined, wanted: OptOut | undefined): boolean {
  if (wanted === undefined) return true;
  if (done === undefined) return false;
  return (
    (done.allMarketing || !wanted.allMarketing) &&
    wanted.channelIds.every((id) => done.channelIds.includes(id)) &&
    wanted.messageTypeIds.every((id) => done.messageTypeIds.includes(id))
  );
}

/** Names an opt-out: equal ones have equal names. */
export function nameOf({ allMarketing, channelIds, messageTypeIds }: OptOut): string {
  return JSON.stringify([allMarketing, channelIds, messageTypeIds]);
}

function distinct(ids: readonly number[]): number[] {
  return [...new Set(ids)].toSorted((a, b) => a - b);
}
