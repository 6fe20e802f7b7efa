import { inFileOrder, type CheckedMapping, type CheckedShape, type MappingFindings } from './check-finding.js';
import { checkSet, type SetRules } from './check-set.js';
import { checkSources } from './check-sources.js';
import { checkSubscriptions, type ProjectSubscriptions } from './check-subscriptions.js';
import { checkTargetTypes } from './check-targets.js';

/** What mappings are checked against. */
export interface CheckedAgainst {
  /** What the org showed, by object. */
  readonly shapes: ReadonlyMap<string, CheckedShape>;
  /** The fields of the Iterable project by dotted path, with their types. */
  readonly projectFields: ReadonlyMap<string, string>;
  /** What the project can unsubscribe from; `null`: not asked, no mapping names any. */
  readonly subscriptions: ProjectSubscriptions | null;
  readonly rules: SetRules;
}

/**
 * What is right by itself, against the org, the project and the settings. What only structure tells is the parser's.
 *
 * Input: the mappings in order of their files. Output: in order of files and lines.
 */
export function checkMappings(
  mappings: readonly CheckedMapping[],
  { shapes, projectFields, subscriptions, rules }: CheckedAgainst,
): MappingFindings {
  const all = [
    ...mappings.map((one) => checkSources(one, shapes)),
    ...(subscriptions === null ? [] : mappings.map((one) => checkSubscriptions(one, subscriptions))),
    checkTargetTypes(mappings, projectFields),
    checkSet(mappings, rules),
  ];
  return {
    errors: inFileOrder(all.flatMap(({ errors }) => errors)),
    warnings: inFileOrder(all.flatMap(({ warnings }) => warnings)),
  };
}
