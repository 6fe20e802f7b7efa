import { MAX_PROFILE_FIELDS } from '@libs/contracts';
import { Findings, type CheckedMapping, type MappingFindings } from './check-finding.js';
import { targetsOf } from './foreign-targets.js';
import { pathsAbove } from './paths.js';
import { targetTypes, type TargetType } from './target-types.js';

/** Above it someone should know. */
const NEARLY_FULL = 0.8;

/** Types of fields that hold other fields; they do not count. */
const HOLDERS: ReadonlySet<string> = new Set(['object', 'nested']);

/**
 * Checks what mappings write against the fields of the project, by dotted path with their types, and against each other: types
 * that do not agree, names that differ by letter case, and how many fields there will be.
 */
export function checkTargetTypes(
  mappings: readonly CheckedMapping[],
  projectFields: ReadonlyMap<string, string>,
): MappingFindings {
  const findings = new Findings();
  const existing = withHolders(projectFields);
  const lowerCase = new Map([...existing.keys()].map((path) => [path.toLowerCase(), path]));
  /** The type that a field has or will have, and what gives it that. */
  const given = new Map<string, { readonly type: string; readonly by: string }>(
    [...existing].map(([path, type]) => [path, { type, by: 'in Iterable it is' }]),
  );
  const added = new Map<string, Located>();
  const told = new Set<string>();
  for (const checked of mappings) {
    const { mapping, places, resolved } = checked;
    const { file } = mapping;
    const types = targetTypes(mapping, resolved.fieldTypes);
    for (const target of targetsOf(mapping)) {
      if (!target.startsWith('dataFields.')) continue;
      const at = { file, ...(places.targets.get(target) ?? places.object) };
      for (const path of [...pathsAbove(target).slice(1), target]) {
        const name = path.slice('dataFields.'.length);
        const type = types.get(path);
        const other = given.get(name);
        if (other !== undefined && type !== undefined) compare(name, type, other, at, findings);
        if (other === undefined && type !== undefined) {
          given.set(name, { type, by: `${file}:${at.line} makes it` });
          if (type === 'double') findings.add('warning', at, newDouble(name));
        }
      }
      const near = nearField(target, existing, lowerCase);
      if (near !== null && !told.has(near.written)) {
        told.add(near.written);
        findings.add('warning', at, {
          code: 'mapping.near_field',
          message: `"dataFields.${near.written}" is a new field; Iterable has one that differs by letter case only, and tells them apart`,
          suggestion: `dataFields.${near.existing}`,
        });
      }
      const leaf = target.slice('dataFields.'.length);
      if (!existing.has(leaf) && !added.has(leaf)) added.set(leaf, at);
    }
  }
  const [first] = mappings;
  if (first !== undefined) {
    const start = { file: first.mapping.file, ...first.places.object };
    checkBudget(
      [...existing.values()].filter((type) => !HOLDERS.has(type)).length,
      [...added.values()],
      start,
      findings,
    );
  }
  return findings;
}

interface Located {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The first part of a target that is new and differs from a field by letter case only, with that field; `null`: there is none. */
function nearField(
  target: string,
  existing: ReadonlyMap<string, string>,
  lowerCase: ReadonlyMap<string, string>,
): { readonly written: string; readonly existing: string } | null {
  const written = [...pathsAbove(target).slice(1), target]
    .map((path) => path.slice('dataFields.'.length))
    .find((name) => !existing.has(name));
  const near = written === undefined ? undefined : lowerCase.get(written.toLowerCase());
  return written === undefined || near === undefined ? null : { written, existing: near };
}

/** The fields with the objects on the way to them, whether the project lists those or not. */
function withHolders(fields: ReadonlyMap<string, string>): Map<string, string> {
  const all = new Map(fields);
  for (const path of fields.keys()) {
    for (const above of pathsAbove(path)) if (!all.has(above)) all.set(above, 'object');
  }
  return all;
}

function compare(
  name: string,
  type: TargetType,
  other: { readonly type: string; readonly by: string },
  at: Located,
  findings: Findings,
): void {
  if (type === other.type) return;
  // A whole number is also taken for a double, and the text of a date for a text.
  if (type === 'long' && other.type === 'double') return;
  if (type === 'date' && other.type === 'string') {
    findings.add('warning', at, {
      code: 'mapping.date_as_text',
      message: `"dataFields.${name}" is sent dates, and ${other.by} a string: they stay texts there, which no campaign can compare as dates`,
    });
    return;
  }
  const decimals = type === 'double' && other.type === 'long' ? ': values with places after the point are refused' : '';
  findings.add('error', at, {
    code: 'mapping.type_conflict',
    message: `"dataFields.${name}" is sent as ${type}, and ${other.by} ${other.type}, which Iterable never changes${decimals}; choose another target, or give it that type`,
  });
}

function newDouble(name: string) {
  return {
    code: 'mapping.new_double',
    message: `"dataFields.${name}" is a new field for numbers with places after the point: create it in Iterable as double first, or a whole number that comes first makes it long for ever`,
  };
}

function checkBudget(existing: number, added: readonly Located[], start: Located, findings: Findings): void {
  const total = existing + added.length;
  const share = total / MAX_PROFILE_FIELDS;
  if (share <= NEARLY_FULL) return;
  const message = `the project has ${existing} profile fields, and the mappings add ${added.length}: ${total} of ${MAX_PROFILE_FIELDS}`;
  const isOver = total > MAX_PROFILE_FIELDS && added.length > 0;
  const limit = isOver ? MAX_PROFILE_FIELDS : Math.floor(MAX_PROFILE_FIELDS * NEARLY_FULL);
  // The line that crosses the limit; the first new one where it was crossed before.
  const at = added[Math.max(limit - existing, 0)] ?? start;
  findings.add(isOver ? 'error' : 'warning', at, {
    code: 'mapping.field_budget',
    message: isOver ? `${message}; Iterable refuses every field beyond` : message,
  });
}
