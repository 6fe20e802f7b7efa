import { mappingPlaces } from './mapping-places.js';
import type { Mapping, MappingFile, MappingMistake } from './mapping.js';
import type { ResolvedSources } from './resolve-sources.js';

/** Why the org may not show a field, in words. */
export const WHY_HIDDEN = 'gone, misspelt or hidden by field-level security';

/** The fields that a mapping reads and the org does not show, as mistakes of its file. `text`: of that file. */
export function hiddenSources(
  { file, object }: Mapping,
  text: MappingFile['text'],
  unknown: ResolvedSources['unknown'],
): MappingMistake[] {
  const places = mappingPlaces({ name: file, text });
  return unknown.map(({ source, suggestion }) => ({
    file,
    ...(places.sources.get(source) ?? places.object),
    message: `the integration user cannot see ${object}.${source}: ${WHY_HIDDEN}`,
    ...(suggestion !== undefined && { suggestion }),
  }));
}
