import {
  Findings,
  type CheckedField,
  type CheckedMapping,
  type CheckedShape,
  type MappingFindings,
} from './check-finding.js';
import { consentRules } from './compile-consent.js';
import { defaultConsent, personObjects } from './mapping.js';
import { pathsAbove } from './paths.js';
import { list } from './read-block.js';
import { MAX_TEXT_LENGTH } from './shorten-texts.js';
import { suggest } from './suggest.js';

/**
 * What SOQL shows of a lookup that may point at several objects, fields and relationships. Source: Salesforce object
 * reference, Name.
 */
export const nameEntityFields: readonly string[] = [
  'Alias',
  'Email',
  'FirstName',
  'Id',
  'IsActive',
  'LastName',
  'MiddleName',
  'Name',
  'NameOrAlias',
  'Phone',
  'Profile',
  'ProfileId',
  'RecordTypeId',
  'Suffix',
  'Title',
  'Type',
  'UserRole',
  'UserRoleId',
  'Username',
];

/** Derived by Salesforce when other records change; never in an event. Source: facts/salesforce.md §1.5. */
const DERIVED: readonly string[] = ['LastActivityDate', 'LastViewedDate', 'LastReferencedDate'];

const PICKLISTS: readonly string[] = ['picklist', 'multipicklist', 'combobox'];

/** Checks what a mapping reads against the org: does it exist, may this user read it, does it tell of its changes. */
export function checkSources(checked: CheckedMapping, shapes: ReadonlyMap<string, CheckedShape>): MappingFindings {
  const { mapping, places, resolved } = checked;
  const { file, object } = mapping;
  const findings = new Findings();
  const at = (source: string) => ({ file, ...(places.sources.get(source) ?? places.object) });
  const fieldOf = (source: string) => fieldAt(checked, shapes, source);

  for (const { source, suggestion } of resolved.unknown) {
    findings.add('error', at(source), {
      code: 'mapping.unknown_field',
      message: `the integration user cannot see ${object}.${source}: it is gone, misspelt or hidden by field-level security`,
      suggestion,
    });
  }
  for (const source of resolved.fieldTypes.keys()) {
    const unshown = polymorphicMistake(checked, source);
    if (unshown !== null) findings.add('error', at(source), { code: 'mapping.polymorphic_field', message: unshown });
    const field = fieldOf(source);
    const untold = field === undefined ? null : untoldChanges(object, source, field);
    if (untold !== null) findings.add('warning', at(source), { code: 'mapping.calculated_field', message: untold });
  }
  for (const { source, target } of mapping.fields) {
    const length = target.startsWith('dataFields.') ? (fieldOf(source)?.length ?? 0) : 0;
    if (length <= MAX_TEXT_LENGTH) continue;
    findings.add('warning', at(source), {
      code: 'mapping.text_shortened',
      message: `"${source}" holds up to ${length} characters; what is beyond ${MAX_TEXT_LENGTH} is cut off, which is all that Iterable keeps`,
    });
  }
  checkBelongsTo(checked, fieldOf, findings);
  checkDefaultConsent(checked, findings);
  checkValues(checked, fieldOf, findings);
  return findings;
}

type FieldOf = (source: string) => CheckedField | undefined;

function fieldAt(
  { mapping, resolved }: CheckedMapping,
  shapes: ReadonlyMap<string, CheckedShape>,
  source: string,
): CheckedField | undefined {
  const from = pathsAbove(source).at(-1);
  const objects = from === undefined ? [mapping.object] : (resolved.parents.get(from) ?? []);
  const name = source.split('.').at(-1);
  const fields = objects.flatMap((one) => shapes.get(one)?.fields ?? []);
  return fields.find((field) => field.name === name);
}

/** A path through a lookup that may point at several objects, to what SOQL does not show of them. `null`: there is none. */
function polymorphicMistake({ mapping, resolved }: CheckedMapping, source: string): string | null {
  for (const path of pathsAbove(source)) {
    const objects = resolved.parents.get(path) ?? [];
    const [next = ''] = source.slice(path.length + 1).split('.');
    if (objects.length < 2 || nameEntityFields.includes(next)) continue;
    return `${mapping.object}.${path} may be a ${list(objects, 'or')}, of which SOQL shows ${list(['Id', 'Name', 'FirstName', 'LastName', 'Email', 'Phone', 'Title', 'IsActive', 'Type'])}, but not "${next}"`;
  }
  return null;
}

/** Why changes of a field may come late. `null`: each raises a change event. */
function untoldChanges(
  object: string,
  source: string,
  { name, calculated, calculatedFormula }: CheckedField,
): string | null {
  const remedy = `it comes with the next change of the ${object}; if it must be fresher, run sync backfill start --object ${object} by a schedule`;
  if (DERIVED.includes(name)) return `"${source}" is derived and raises no change event of its own: ${remedy}`;
  if (!calculated) return null;
  const what = calculatedFormula === null ? 'calculated by the org (a roll-up summary or the like)' : 'a formula';
  return `"${source}" is ${what} and raises no change event of its own: ${remedy}`;
}

function checkBelongsTo({ mapping, places }: CheckedMapping, fieldOf: FieldOf, findings: Findings): void {
  const { file, object, belongsTo } = mapping;
  const field = belongsTo === undefined ? undefined : fieldOf(belongsTo);
  if (belongsTo === undefined || field === undefined) return;
  if (field.referenceTo.some((to) => personObjects.includes(to))) return;
  const leads = field.referenceTo.length === 0 ? 'is no lookup' : `leads to ${list(field.referenceTo, 'or')}`;
  findings.add(
    'error',
    { file, ...(places.sources.get(belongsTo) ?? places.object) },
    {
      code: 'mapping.no_person_lookup',
      message: `${object}.${belongsTo} ${leads}; what a record belongs to is a ${list(personObjects, 'or')}`,
    },
  );
}

/** Without a consent block a person says no with a field that every org has: hidden, it would be no one's no. */
function checkDefaultConsent({ mapping, places, resolved }: CheckedMapping, findings: Findings): void {
  const { file, object, consent, belongsTo } = mapping;
  if (consent !== undefined || belongsTo !== undefined || !personObjects.includes(object)) return;
  if (resolved.systemFields.has(defaultConsent.source)) return;
  findings.add(
    'warning',
    { file, ...places.object },
    {
      code: 'mapping.consent_hidden',
      message: `the integration user cannot see ${object}.${defaultConsent.source}, so nobody who opts out in Salesforce is unsubscribed; show it, or say what says no in a consent block`,
    },
  );
}

/** Values that a mapping names against those that the org has: a value that never comes does nothing. */
function checkValues({ mapping, places, resolved }: CheckedMapping, fieldOf: FieldOf, findings: Findings): void {
  const { file } = mapping;
  const check = (source: string, value: string, at: { file: string; line: number; column: number }, then: string) => {
    const field = fieldOf(source);
    if (field === undefined || !PICKLISTS.includes(field.type) || field.picklistValues.length === 0) return;
    const known = field.picklistValues.map((one) => one.value);
    if (known.includes(value)) return;
    const suggestion = suggest(value, known);
    const choices = suggestion === undefined ? `; it has ${several(known)}` : '';
    findings.add('warning', at, {
      code: 'mapping.unknown_value',
      message: `"${value}" is no value of the picklist "${source}", so ${then}${choices}`,
      suggestion,
    });
  };
  for (const { source, target } of mapping.fields) {
    for (const value of mapping.values?.get(target)?.map.keys() ?? []) {
      const at = { file, ...(places.listed.get(target)?.get(value) ?? places.object) };
      check(source, value, at, 'this line does nothing');
    }
  }
  for (const { source, when } of consentRules(mapping, resolved.systemFields)) {
    const at = { file, ...(places.consent.get(source) ?? places.object) };
    for (const value of when) {
      check(source, String(value), at, 'nobody says no with it');
      if (typeof value === 'boolean' || resolved.fieldTypes.get(source) !== 'boolean') continue;
      findings.add('warning', at, {
        code: 'mapping.unknown_value',
        message: `"${source}" is a checkbox, so nobody says no with ${JSON.stringify(value)}; write true or false`,
      });
    }
  }
}

const MOST_CHOICES = 10;

function several(values: readonly string[]): string {
  if (values.length <= MOST_CHOICES) return list(values);
  return `${values.slice(0, MOST_CHOICES).join(', ')} and ${values.length - MOST_CHOICES} more`;
}
