import { describe, expect, it } from 'vitest';
import type { ProfileSchema } from '@libs/contracts';
import { encodeFields, fieldPlan } from './field-plan.js';

type Fields = ProfileSchema['fields'];
const none = new Map<string, string>();
const map = (types: Readonly<Record<string, string>>) => new Map(Object.entries(types));

describe('what leaves', () => {
  it.each<[string, Fields, Readonly<Record<string, string>>, object, string]>([
    [
      'a whole amount of a new double field',
      { Revenue: { type: 'double' } },
      {},
      { Revenue: 1000 },
      '{"Revenue":1000.0}',
    ],
    [
      'one of a field that is a double',
      { Revenue: { type: 'double' } },
      { Revenue: 'double' },
      { Revenue: -0 },
      '{"Revenue":0.0}',
    ],
    ['one with places', { Revenue: { type: 'double' } }, {}, { Revenue: 10.5 }, '{"Revenue":10.5}'],
    ['a very large one', { Revenue: { type: 'double' } }, {}, { Revenue: 1e21 }, '{"Revenue":1e+21}'],
    ['several', { Rates: { type: 'double' } }, {}, { Rates: [1, 2.5] }, '{"Rates":[1.0,2.5]}'],
    [
      'a nested one',
      { 'Company.Size': { type: 'double' } },
      {},
      { Company: { Size: 5, A: 1 } },
      '{"Company":{"Size":5.0,"A":1}}',
    ],
    [
      'nothing where there is nothing',
      { 'Company.Size': { type: 'double' } },
      {},
      { Company: null },
      '{"Company":null}',
    ],
    ['a null', { Revenue: { type: 'double' } }, {}, { Revenue: null }, '{"Revenue":null}'],
    ['a long', { Staff: { type: 'long' } }, {}, { Staff: 1000 }, '{"Staff":1000}'],
    ['a number for a text field', { Zip: { type: 'long' } }, { Zip: 'string' }, { Zip: 1234 }, '{"Zip":"1234"}'],
    ['a text for a number field', { Zip: { type: 'string' } }, { Zip: 'long' }, { Zip: '1234' }, '{"Zip":1234}'],
    ['a text for a double field', { Zip: { type: 'string' } }, { Zip: 'double' }, { Zip: '12' }, '{"Zip":12.0}'],
    ['a text that is no number', { Zip: { type: 'string' } }, { Zip: 'long' }, { Zip: 'A1' }, '{"Zip":"A1"}'],
    ['a fraction for a long field', { Rate: { type: 'double' } }, { Rate: 'long' }, { Rate: 1.5 }, '{"Rate":1.5}'],
    ['a whole one for a long field', { Rate: { type: 'double' } }, { Rate: 'long' }, { Rate: 2 }, '{"Rate":2}'],
    [
      'a value that the mapping insists on',
      { Zip: { type: 'long', pinned: true } },
      { Zip: 'string' },
      { Zip: 1 },
      '{"Zip":1}',
    ],
    ['a value for an object', { Zip: { type: 'string' } }, { Zip: 'object' }, { Zip: 'x' }, '{"Zip":"x"}'],
    ['a field that nothing is known of', {}, { Zip: 'string' }, { Zip: 1 }, '{"Zip":1}'],
  ])('%s', (_, fields, known, body, json) => {
    expect(encodeFields(structuredClone(body) as Record<string, unknown>, fieldPlan(fields, map(known), none))).toBe(
      json,
    );
  });

  it('follows what a refusal said, before what the list said, and also where nothing is meant', () => {
    const plan = fieldPlan(
      { Zip: { type: 'long' } },
      map({ Zip: 'long' }),
      map({ Zip: 'string', 'Name.Age': 'string' }),
    );
    expect(encodeFields({ Zip: 5, Name: { Age: 7 } }, plan)).toBe('{"Zip":"5","Name":{"Age":"7"}}');
  });
});
