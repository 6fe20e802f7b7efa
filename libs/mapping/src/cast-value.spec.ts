import { describe, expect, it } from 'vitest';
import { casts, MISFIT } from './cast-value.js';
import type { ValueType } from './mapping.js';

describe('casts', () => {
  it.each<[ValueType, unknown, unknown]>([
    ['string', 'a', 'a'],
    ['string', 5, '5'],
    ['string', false, 'false'],
    ['string', { City: 'Rome' }, MISFIT],
    ['long', 5, 5],
    ['long', 5.5, MISFIT],
    ['long', ' 42 ', 42],
    ['long', '42.0', MISFIT],
    ['long', '9007199254740993', MISFIT],
    ['long', true, MISFIT],
    ['double', 1000, 1000],
    ['double', '1e3', 1000],
    ['double', '.5', 0.5],
    ['double', '1,000', MISFIT],
    ['double', 'n/a', MISFIT],
    ['double', '', MISFIT],
    ['boolean', true, true],
    ['boolean', 'False', false],
    ['boolean', 1, true],
    ['boolean', 'yes', MISFIT],
    ['date', '2022-11-09', '2022-11-09'],
    ['date', '2022-11-09T01:46:18.000+0000', '2022-11-09 01:46:18 +00:00'],
    ['date', '2022-11-09 01:46:18 +00:00', '2022-11-09 01:46:18 +00:00'],
    ['date', 1_667_958_378_000, '2022-11-09 01:46:18 +00:00'],
    ['date', '2022-02-30', MISFIT],
    ['date', '2022-02-30T01:46:18.000+0000', MISFIT],
    ['date', '2022-11-09T25:46:18.000+0000', MISFIT],
    ['date', '9.11.2022', MISFIT],
    ['date', true, MISFIT],
    ['date', Number.MAX_VALUE, MISFIT],
    ['list', 'A;B', ['A', 'B']],
    ['list', ' A ; ;B;', ['A', 'B']],
    ['list', ['A', 5], ['A', 5]],
    ['list', [{}], MISFIT],
    ['list', 5, MISFIT],
  ])('%s of %j is %j', (type, value, made) => {
    expect(casts[type](value)).toEqual(made);
  });
});
