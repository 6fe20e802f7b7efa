import type { Mapping, MappingSet } from './mapping.js';
import { pathsAbove } from './paths.js';

/** Every target that a mapping fills, in file order by block. */
export function targetsOf({ fields, transform, constants }: Mapping): string[] {
  return [...fields.map(({ target }) => target), ...(transform?.keys() ?? []), ...(constants?.keys() ?? [])];
}

/**
 * The targets that mappings of other persons write and this one does not, as the shortest paths that share nothing with its
 * own; sorted, distinct. A body that nulls them is the complete image of its record: a profile that changes hands keeps
 * nothing of its former owner. A mapping that belongs to another object's persons neither adds to them nor gets any.
 */
export function foreignTargets(mappings: MappingSet, object: string): string[] {
  const own = mappings.get(object);
  if (own === undefined || own.belongsTo !== undefined) return [];
  const ownTargets = new Set(targetsOf(own));
  const ownPaths = new Set([...ownTargets].flatMap((target) => [target, ...pathsAbove(target)]));
  const foreign = [...mappings.values()]
    .filter((mapping) => mapping.object !== object && mapping.belongsTo === undefined)
    .flatMap(targetsOf)
    .filter((target) => target.startsWith('dataFields.'))
    .flatMap((target) => shortestUnshared(target, ownTargets, ownPaths) ?? []);
  return [...new Set(foreign)].toSorted();
}

function shortestUnshared(
  target: string,
  ownTargets: ReadonlySet<string>,
  ownPaths: ReadonlySet<string>,
): string | undefined {
  // What is inside a value of its own is overwritten with it
  if (pathsAbove(target).some((path) => ownTargets.has(path))) return undefined;
  return [...pathsAbove(target), target].find((path) => path !== 'dataFields' && !ownPaths.has(path));
}
