import { personObjects, type ConsentRule, type Mapping } from './mapping.js';
import { sourceMistake } from './paths.js';
import type { NamedSource } from './parse-expressions.js';
import { isScalar, wordOf } from './parse-rules.js';
import type { Block } from './read-block.js';
import type { Entry } from './read-entries.js';

/** The lookup of `identity: { belongsTo }`. */
export function parseBelongsTo(
  entry: Entry,
  top: Block,
  object: string,
): (NamedSource & { readonly source: string }) | null {
  const inner = top.inner(entry, '"identity"', ['belongsTo']);
  const lookup = inner?.entry('belongsTo');
  if (inner === null) return null;
  if (lookup === undefined) {
    if (entry.block?.items.length === 0) {
      top.mistakes.add(
        entry.keyOffset,
        '"identity" says nothing; write belongsTo: the lookup field to a Lead or Contact',
      );
    }
    return null;
  }
  const { value, valueOffset } = lookup;
  if (typeof value !== 'string') {
    top.mistakes.add(valueOffset, '"belongsTo" must be the lookup field to a Lead or Contact, e.g. Contact__c');
    return null;
  }
  const wrong = value.endsWith('__r')
    ? {
        message: `"${value}" is a relationship; name the lookup field itself`,
        suggestion: value.replace(/__r$/, '__c'),
      }
    : sourceMistake(value);
  if (wrong !== null) top.mistakes.add(valueOffset, wrong.message, wrong.suggestion);
  if (personObjects.includes(object)) {
    top.mistakes.add(entry.keyOffset, `a ${object} is a person itself and belongs to no other`);
    return null;
  }
  return wrong === null ? { source: value, offset: valueOffset } : null;
}

/** The consent block, with where its fields are named. */
export function parseConsent(
  entry: Entry,
  top: Block,
): { readonly consent: Mapping['consent']; readonly named: NamedSource[] } {
  if (entry.value === 'none') return { consent: 'none', named: [] };
  if (entry.block === null) {
    top.mistakes.add(entry.valueOffset, '"consent" must be a block of fields that say no, or none');
    return { consent: [], named: [] };
  }
  const rules = (top.inner(entry, '"consent"') as Block).entries().flatMap((line) => {
    const rule = parseRule(line, top);
    return rule === null ? [] : [{ rule, offset: line.keyOffset }];
  });
  return {
    consent: rules.map(({ rule }) => rule),
    named: rules.map(({ rule, offset }) => ({ source: rule.source, offset })),
  };
}

function parseRule(line: Entry, top: Block): ConsentRule | null {
  const { mistakes } = top;
  const { key: source, keyOffset } = line;
  const wrong = sourceMistake(source);
  if (wrong !== null) mistakes.add(keyOffset, wrong.message, wrong.suggestion);
  const what = `the consent rule of "${source}"`;
  const inner = top.inner(line, what, ['when', 'unsubscribe', 'channels', 'messageTypes']);
  if (inner === null) return null;
  const when = valuesOf(inner, line, what);
  const unsubscribe = inner.entry('unsubscribe');
  const allMarketing = unsubscribe !== undefined && wordOf(unsubscribe, '"unsubscribe"', ['all'], inner) === 'all';
  const channelIds = idsOf(inner, 'channels');
  const messageTypeIds = idsOf(inner, 'messageTypes');
  if (unsubscribe === undefined && inner.entry('channels') === undefined && inner.entry('messageTypes') === undefined) {
    mistakes.add(
      keyOffset,
      `${what} does not say what to unsubscribe from: unsubscribe: all, channels or messageTypes`,
    );
  }
  return { source, when, allMarketing, channelIds, messageTypeIds };
}

function valuesOf(inner: Block, line: Entry, what: string): ConsentRule['when'] {
  const entry = inner.entry('when');
  if (entry === undefined) {
    if (!inner.isMisspelt('when', ['when'])) {
      inner.mistakes.add(line.keyOffset, `${what} has no "when": the value of the field that says no, e.g. when: true`);
    }
    return [];
  }
  const values = entry.list ?? [entry.value];
  if (values.length > 0 && values.every((value) => isScalar(value) && value !== ''))
    return values as ConsentRule['when'];
  inner.mistakes.add(entry.valueOffset, `"when" of ${what} must be a value of the field, or a list of them`);
  return [];
}

function idsOf(inner: Block, key: string): number[] {
  const entry = inner.entry(key);
  if (entry === undefined) return [];
  const isId = (id: unknown): id is number => Number.isSafeInteger(id) && (id as number) > 0;
  if (entry.list !== null && entry.list.length > 0 && entry.list.every(isId)) return [...entry.list];
  inner.mistakes.add(entry.valueOffset, `"${key}" must be a list of Iterable's ids, e.g. [123]`);
  return [];
}
