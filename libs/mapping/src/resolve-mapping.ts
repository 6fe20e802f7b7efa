import type { Mapping } from './mapping.js';
import { resolveSources, type ObjectShape, type ResolvedSources } from './resolve-sources.js';

/**
 * What the org says of the fields of a mapping, through its relationships: describes one level of parents after the other.
 *
 * `describe` asks the org. `shapes`: what is known already; what is learnt is added to it, so that mappings may share it.
 * Errors: those of `describe`.
 */
export async function resolveMapping<S extends ObjectShape>(
  mapping: Mapping,
  describe: (object: string) => Promise<S>,
  shapes: Map<string, S> = new Map<string, S>(),
): Promise<ResolvedSources> {
  for (;;) {
    const answer = resolveSources(mapping, shapes);
    if (!('missing' in answer)) return answer;
    const described = await Promise.all(answer.missing.map(async (name) => [name, await describe(name)] as const));
    for (const [name, shape] of described) shapes.set(name, shape);
  }
}
