import { Findings, type CheckedMapping, type MappingFindings } from './check-finding.js';
import { followedObjects, type ParentRules } from './followed-objects.js';
import type { Mapping } from './mapping.js';
import { mappingSources } from './mapping-sources.js';
import { list } from './read-block.js';

/** Objects that Change Data Capture follows without an add-on. Source: facts/salesforce.md, Change Data Capture allocations. */
export const FREE_OBJECTS = 5;

/** What is set outside of the mappings and must agree with them. */
export interface SetRules extends ParentRules {
  /** Does a deleted record set the targets of `IsDeleted`? */
  readonly flagsDeleted: boolean;
}

/** Checks the mappings together with what is set beside them. */
export function checkSet(mappings: readonly CheckedMapping[], rules: SetRules): MappingFindings {
  const findings = new Findings();
  if (rules.flagsDeleted) {
    for (const { mapping, places } of mappings) {
      const { file, object, belongsTo, fields } = mapping;
      if (belongsTo !== undefined || fields.some(({ source }) => source === 'IsDeleted')) continue;
      findings.add(
        'error',
        { file, ...places.object },
        {
          code: 'mapping.no_delete_flag',
          message: `ON_DELETE is flag, but no line says where: map IsDeleted of ${object}, e.g. IsDeleted: dataFields.Salesforce.Deleted`,
        },
      );
    }
  }
  const followed = followedObjects(new Map(mappings.map(({ mapping }) => [mapping.object, mapping])), rules);
  const beyond = followed[FREE_OBJECTS];
  if (beyond !== undefined) {
    findings.add('warning', placeOf(beyond, mappings, rules), {
      code: 'mapping.change_events',
      message: `change events of ${followed.length} objects are needed (${list(followed)}); an org gives ${FREE_OBJECTS} without the Change Data Capture add-on`,
    });
  }
  return findings;
}

/** Where an object comes in that must be followed: its own file, or the first source that reads it as a parent. */
function placeOf(object: string, mappings: readonly CheckedMapping[], rules: ParentRules) {
  for (const { mapping, places } of mappings) {
    const { file } = mapping;
    if (mapping.object === object) return { file, ...places.object };
    const source = mappingSources(mapping).find((one) => follows(mapping, one, rules).includes(object));
    if (source !== undefined) return { file, ...(places.sources.get(source) ?? places.object) };
  }
  return { file: '', line: 1, column: 1 };
}

function follows({ file, object }: Mapping, source: string, rules: ParentRules): string[] {
  return followedObjects(new Map([[object, { file, object, fields: [{ source, target: 'email' }] }]]), rules);
}
