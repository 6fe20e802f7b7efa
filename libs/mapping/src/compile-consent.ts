import type { OptOut } from '@libs/contracts';
import { defaultConsent, personObjects, type ConsentRule, type Mapping } from './mapping.js';
import { reader, type SourceRecord } from './record-readers.js';

/** The rules in force: those of the mapping, else the default of a Lead or Contact as far as the org shows its field. */
export function consentRules({ object, consent }: Mapping, systemFields: ReadonlySet<string>): readonly ConsentRule[] {
  if (consent === 'none') return [];
  if (consent !== undefined) return consent;
  return personObjects.includes(object) && systemFields.has(defaultConsent.source) ? [defaultConsent] : [];
}

/** What a row says no to: the rules that hold, together. `undefined`: to nothing. There is no way to say yes. */
export function compileConsent(rules: readonly ConsentRule[]): (record: SourceRecord) => OptOut | undefined {
  const compiled = rules.map((rule) => {
    const read = reader(rule.source);
    const when = new Set<unknown>(rule.when);
    return { rule, holds: (record: SourceRecord) => when.has(read(record)) };
  });
  return (record) => {
    const holding = compiled.filter(({ holds }) => holds(record)).map(({ rule }) => rule);
    if (holding.length === 0) return undefined;
    return {
      allMarketing: holding.some(({ allMarketing }) => allMarketing),
      channelIds: distinct(holding.flatMap(({ channelIds }) => channelIds)),
      messageTypeIds: distinct(holding.flatMap(({ messageTypeIds }) => messageTypeIds)),
    };
  };
}

function distinct(ids: readonly number[]): number[] {
  return [...new Set(ids)].toSorted((a, b) => a - b);
}
