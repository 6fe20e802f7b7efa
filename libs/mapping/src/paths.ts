import { suggest } from './suggest.js';

/** What is wrong with a path, and what was probably meant. */
export interface PathMistake {
  readonly message: string;
  readonly suggestion?: string;
}

/** Deepest child-to-parent path of a SOQL query, relationships. Source: facts/salesforce.md §4.2. */
export const MAX_RELATIONSHIP_LEVELS = 5;

/** Most child-to-parent relationships in one SOQL query. Source: facts/salesforce.md §4.2. */
export const MAX_RELATIONSHIPS = 55;

/** Names that are safe on both sides: Salesforce API names (at most 80 characters), and Iterable's by facts/iterable.md §4. */
const NAME_PATTERN = '[A-Za-z][A-Za-z0-9_]{0,79}';
const NAME = new RegExp(`^${NAME_PATTERN}$`);

/** What a source and a target look like at first sight, as the text of a regular expression; the checks below say more. */
export const SOURCE_PATTERN = `^${NAME_PATTERN}(\\.${NAME_PATTERN}){0,${MAX_RELATIONSHIP_LEVELS}}$`;
export const TARGET_PATTERN = `^(email|userId|dataFields(\\.${NAME_PATTERN})+)$`;

/** Is this a name that is safe on both sides? */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** Fields that Iterable keeps itself and that must not be written. Source: facts/iterable.md §4, managed fields. */
const MANAGED_FIELDS: ReadonlySet<string> = new Set([
  'devices',
  'emailListIds',
  'itblDS',
  'itblInternal',
  'itblUserId',
  'phoneNumberDetails',
  'profileUpdatedAt',
  'receivedSMSDisclaimer',
  'signupSource',
  'subscribedMessageTypeIds',
  'userListIds',
]);

function isManaged(field: string): boolean {
  return MANAGED_FIELDS.has(field) || field.startsWith('unsubscribed');
}

/** The path with blanks and other separators mended, if that makes it one; it is what was probably meant. */
function mended(path: string): string | undefined {
  const segments = path.split(/\s*(?:\.|->|\/|:)\s*/).map((segment) => segment.trim());
  const names = segments.filter((segment) => segment !== '');
  const candidate = names.join('.');
  return candidate !== path && names.length > 0 && names.every((name) => NAME.test(name)) ? candidate : undefined;
}

/** Checks a source path by its form alone; whether the org has such a field is another question. `null`: nothing wrong. */
export function sourceMistake(source: string): PathMistake | null {
  const segments = source.split('.');
  if (!segments.every((segment) => NAME.test(segment))) {
    return {
      message: `"${source}" is not the path of a Salesforce field`,
      suggestion: mended(source),
    };
  }
  const levels = segments.length - 1;
  if (levels > MAX_RELATIONSHIP_LEVELS) {
    return { message: `"${source}" goes up ${levels} relationships; SOQL allows ${MAX_RELATIONSHIP_LEVELS}` };
  }
  const relationships = segments.slice(0, -1);
  const field = segments.at(-1) as string;
  const asField = relationships.find((name) => /(?:__c|[a-z]Id)$/.test(name));
  if (asField !== undefined) {
    const meant = relationships.map((name) => name.replace(/__c$/, '__r').replace(/(?<=[a-z])Id$/, ''));
    return {
      message: `"${asField}" is a field, not a relationship, so nothing can follow it`,
      suggestion: [...meant, field].join('.'),
    };
  }
  if (field.endsWith('__r')) {
    return { message: `"${source}" ends in a relationship; name a field of it`, suggestion: `${source}.Name` };
  }
  return null;
}

/** Checks a target path. `null`: nothing wrong. */
export function targetMistake(target: string): PathMistake | null {
  if (target === 'email' || target === 'userId') return null;
  const [root, ...segments] = target.split('.');
  if (root !== 'dataFields' || segments.length === 0) {
    return {
      message: `"${target}" is no target; a target is email, userId or dataFields.<path>`,
      suggestion: meantTarget(target),
    };
  }
  if (!segments.every((segment) => NAME.test(segment))) {
    return {
      message: `"${target}" has a name that is not letters, digits and underscores, beginning with a letter`,
      suggestion: mended(target),
    };
  }
  const [top] = segments as [string, ...string[]];
  if (top === 'email' || top === 'userId') {
    return {
      message: `"${target}" is decided by the type of the project, not by the mapping`,
      suggestion: segments.length === 1 ? top : undefined,
    };
  }
  if (isManaged(top)) return { message: `"${target}" is kept by Iterable itself and cannot be written` };
  return null;
}

function meantTarget(target: string): string | undefined {
  const [root = '', ...rest] = target.split('.');
  if (rest.length === 0) {
    const meant = suggest(root, ['email', 'userId']);
    if (meant !== undefined) return meant;
    return NAME.test(root) && suggest(root, ['dataFields']) === undefined ? `dataFields.${root}` : undefined;
  }
  const meant = suggest(root, ['dataFields']) === undefined ? `dataFields.${target}` : `dataFields.${rest.join('.')}`;
  return targetMistake(meant) === null ? meant : undefined;
}

/** The relationship paths that a source path goes through, shortest first: `A.B.Name` gives `A`, `A.B`. */
export function relationshipsOf(source: string): string[] {
  return pathsAbove(source);
}

/** The paths above a path, shortest first: `dataFields.Name.First` gives `dataFields`, `dataFields.Name`. */
export function pathsAbove(path: string): string[] {
  const segments = path.split('.');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('.'));
}
