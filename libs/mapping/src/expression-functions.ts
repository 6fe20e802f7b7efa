const CLOCK = 'depends on the clock, and a mapped record must depend on its fields alone';
const CHANCE = 'depends on chance, and a mapped record must depend on its fields alone';

/** Functions of JSONata that a mapping may not use, and why. */
export const REFUSED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['now', CLOCK],
  ['millis', CLOCK],
  ['random', CHANCE],
  ['shuffle', CHANCE],
  ['eval', 'does not show which fields it reads; write the expression itself'],
]);

/**
 * The other functions of JSONata 2.2, with the fewest arguments that let them work without what they stand in. Source: its
 * function library.
 */
export const MIN_ARGUMENTS: ReadonlyMap<string, number> = new Map([
  ...(['error', 'assert'] as const).map((name) => [name, 0] as const),
  ...(
    [
      'sum',
      'count',
      'max',
      'min',
      'average',
      'string',
      'lowercase',
      'uppercase',
      'length',
      'trim',
      'formatBase',
      'number',
      'floor',
      'ceil',
      'round',
      'abs',
      'sqrt',
      'boolean',
      'not',
      'zip',
      'single',
      'keys',
      'exists',
      'spread',
      'merge',
      'reverse',
      'type',
      'sort',
      'distinct',
      'base64encode',
      'base64decode',
      'encodeUrlComponent',
      'encodeUrl',
      'decodeUrlComponent',
      'decodeUrl',
      'toMillis',
      'fromMillis',
      'clone',
      'join',
    ] as const
  ).map((name) => [name, 1] as const),
  ...(
    [
      'substring',
      'substringBefore',
      'substringAfter',
      'pad',
      'match',
      'contains',
      'split',
      'formatNumber',
      'formatInteger',
      'parseInteger',
      'power',
      'map',
      'filter',
      'reduce',
      'sift',
      'lookup',
      'append',
      'each',
    ] as const
  ).map((name) => [name, 2] as const),
  ['replace', 3],
]);
