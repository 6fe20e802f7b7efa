import { describe, expect, it } from 'vitest';
import { describeMistake } from './mapping.js';
import { parseMapping } from './parse-mapping.js';

const head = 'object: Contact\nfields: { Email: email, A__c: dataFields.A }\n';

function mistakesOf(blocks: string, start = head): string[] {
  const parsed = parseMapping('x.yaml', `${start}${blocks}`);
  return Array.isArray(parsed) ? parsed.map((mistake) => describeMistake(mistake).replace('x.yaml:', '')) : [];
}

describe('parseMapping: the blocks beyond fields', () => {
  it('are read, each absent where the file has none', () => {
    const text = `${head}
when: HasLeft__c = false
transform: { dataFields.Full: "FirstName & LastName" }
constants: { dataFields.Origin: salesforce, dataFields.Old: null, dataFields.Tags: [a, b] }
type: { dataFields.A: double }
values: { dataFields.A: { map: { Hot: 1, Cold: null }, others: clear } }
onNull: { default: omit, dataFields.A: clear }
merge: replace
consent:
  HasOptedOutOfEmail: { when: true, unsubscribe: all }
  News__c: { when: [No, Never], channels: [1], messageTypes: [2, 3] }
`;
    expect(parseMapping('x.yaml', text)).toStrictEqual({
      file: 'x.yaml',
      object: 'Contact',
      fields: [
        { source: 'Email', target: 'email' },
        { source: 'A__c', target: 'dataFields.A' },
      ],
      when: 'HasLeft__c = false',
      transform: new Map([['dataFields.Full', 'FirstName & LastName']]),
      constants: new Map<string, unknown>([
        ['dataFields.Origin', 'salesforce'],
        ['dataFields.Old', null],
        ['dataFields.Tags', ['a', 'b']],
      ]),
      types: new Map([['dataFields.A', 'double']]),
      values: new Map([
        [
          'dataFields.A',
          {
            map: new Map<string, unknown>([
              ['Hot', 1],
              ['Cold', null],
            ]),
            others: 'clear',
          },
        ],
      ]),
      onNull: { default: 'omit', targets: new Map([['dataFields.A', 'clear']]) },
      merge: 'replace',
      consent: [
        { source: 'HasOptedOutOfEmail', when: [true], allMarketing: true, channelIds: [], messageTypeIds: [] },
        { source: 'News__c', when: ['No', 'Never'], allMarketing: false, channelIds: [1], messageTypeIds: [2, 3] },
      ],
    });
    expect(parseMapping('x.yaml', `${head}consent: none\nonNull: omit`)).toMatchObject({
      consent: 'none',
      onNull: { default: 'omit', targets: new Map() },
    });
    expect(
      parseMapping(
        'x.yaml',
        'object: Order__c\nfields: { Name: dataFields.Order }\nidentity: { belongsTo: Contact__c }',
      ),
    ).toMatchObject({ belongsTo: 'Contact__c' });
  });

  it.each([
    // Expressions
    ['when: true', ['3:7: "when" must be a JSONata expression, written as a text']],
    ['when: ""', ['3:7: "when" must be a JSONata expression, written as a text']],
    ['when: A__c =', ['3:13: "when" is not JSONata: Unexpected end of expression']],
    ["when: 'A__c = ''x'' and )'", ['3:25: "when" is not JSONata: The symbol ")" cannot be used as a unary operator']],
    [
      'when: "A__c = \\"x\\" and )"',
      ['3:25: "when" is not JSONata: The symbol ")" cannot be used as a unary operator'],
    ],
    [
      'when: |\n  A__c = "x"\n    and )',
      ['5:9: "when" is not JSONata: The symbol ")" cannot be used as a unary operator'],
    ],
    [
      'when: B__c = true or Email = null',
      [
        '3:28: "when" cannot be used: an empty field is not there at all in an expression, so "= null" is never true; did you mean "$not($exists(Email))"?',
      ],
    ],
    [
      'transform: { dataFields.B: 5 }',
      ['3:28: the transform of "dataFields.B" must be a JSONata expression, written as a text'],
    ],
    [
      'transform: { Name.Full: FirstName }',
      [
        '3:14: "Name.Full" is no target; a target is email, userId or dataFields.<path>; did you mean "dataFields.Name.Full"?',
      ],
    ],
    ['transform: [a]', ['3:12: "transform" must be a block of keys and values']],
    [
      'transform: { dataFields.B: "$lookup($, \\"Email\\")" }',
      [
        '3:37: the transform of "dataFields.B" cannot be used: it reads the whole record, so that nobody can see which fields it needs; name them',
      ],
    ],
    [
      'transform: { dataFields.B: "Account.Name", dataFields.C: "[Account]" }',
      ['3:60: the transform of "dataFields.C" takes all of "Account", which is not one value; name a field of it'],
    ],
    ['transform: { dataFields.B: "$exists(Account) ? Account.Name" }', []],
    [
      'transform: { dataFields.B: "Partner__r" }',
      [
        '3:29: the transform of "dataFields.B" reads a path that is none: "Partner__r" ends in a relationship; name a field of it; did you mean "Partner__r.Name"?',
      ],
    ],
    ['when: a__c = 1', ['3:7: "when" spells "a__c" in another way than line 2; did you mean "A__c"?']],
    [
      'when: HasOptedOutOfEmail = false',
      [
        '3:7: "when" reads "HasOptedOutOfEmail", with which a person says no: the record would be left out and the person never unsubscribed; take it out, or write consent: none',
      ],
    ],
    ['when: HasOptedOutOfEmail = false\nconsent: none', []],
    // Targets
    ['transform: { dataFields.A: B__c }', ['3:14: "dataFields.A" is already filled from "A__c" on line 2']],
    [
      'transform: { dataFields.B: B__c }\nconstants: { dataFields.B: 1, dataFields.A.C: 2 }',
      [
        '4:14: "dataFields.B" is already filled by a transform on line 3',
        '4:31: "dataFields.A.C" is inside "dataFields.A", which line 2 makes a single value',
      ],
    ],
    ['constants: { email: a@b.co }', ['3:14: "email" says who the user is, so it cannot be the same for every record']],
    [
      'constants: { dataFields.B: { x: 1 }, dataFields.C: [], dataFields.D: [1, a], dataFields.E: .inf }',
      ['3:28', '3:52', '3:70', '3:92'].map(
        (place, index) =>
          `${place}: the constant "dataFields.${'BCDE'[index]}" must be a text, number, true or false, a list of one of them, or null`,
      ),
    ],
    [
      'constants: { dataFields.B: "" }',
      ['3:28: the constant "dataFields.B" must have 1 to 32000 characters; null clears the field'],
    ],
    [
      'constants: { dataFields.B: soon }\ntype: { dataFields.B: date }',
      ['3:28: the constant "dataFields.B" is no date'],
    ],
    // Rules by target
    [
      'type: { dataFields.A: integer }',
      ['3:23: the type of "dataFields.A" is string, long, double, boolean, date or list; did you mean "long"?'],
    ],
    [
      'type: { dataFields.A: dubble }',
      ['3:23: the type of "dataFields.A" is string, long, double, boolean, date or list; did you mean "double"?'],
    ],
    [
      'type: { dataFields.B: long }',
      ['3:9: "dataFields.B" in "type" is a target that nothing in this file fills; did you mean "dataFields.A"?'],
    ],
    ['type: { email: double }', ['3:9: "email" says who the user is; "type" is for profile fields, dataFields.<path>']],
    ['type: long', ['3:7: "type" must be a block of keys and values']],
    ['onNull: clean', ['3:9: "onNull" is clear or omit; did you mean "clear"?']],
    ['onNull: { dataFields.A: drop }', ['3:25: what becomes of an empty "dataFields.A" is clear or omit']],
    [
      'onNull: { dataFields.B: omit }\nconstants: { dataFields.B: 1 }',
      ['3:11: "dataFields.B" is a constant, to which "onNull" does nothing'],
    ],
    ['merge: replaced', ['3:8: "merge" is merge or replace; did you mean "replace"?']],
    [
      'values: { dataFields.A: { Hot: 1 } }',
      [
        '3:11: the value list of "dataFields.A" has no "map": what each value becomes, from: to',
        '3:27: unknown key "Hot" in the value list of "dataFields.A"; the keys are map and others',
      ],
    ],
    [
      'values: { dataFields.A: { map: {} } }',
      ['3:11: the value list of "dataFields.A" has no "map": what each value becomes, from: to'],
    ],
    [
      'values: { dataFields.A: { map: 5 } }',
      ['3:32: "map" of the value list of "dataFields.A" must be a block of keys and values'],
    ],
    [
      'values: { dataFields.A: { map: { x: [1] } } }',
      ['3:37: what "x" becomes must be a text, number, true, false or null'],
    ],
    [
      'values: { dataFields.A: { map: { x: 1, y: two } } }',
      ['3:11: the value list of "dataFields.A" makes values of several types (number, string); a field has one'],
    ],
    [
      'values: { dataFields.A: { map: { x: two } } }\ntype: { dataFields.A: long }',
      ['3:37: what "x" becomes is no long'],
    ],
    [
      'values: { dataFields.A: { map: { x: 1 }, others: drop } }',
      ['3:50: what becomes of other values is keep or clear'],
    ],
    // Persons
    ['identity: { belongTo: Account__c }', ['3:13: unknown key "belongTo" in "identity"; did you mean "belongsTo"?']],
    ['identity: { belongsTo: Account__c }', ['3:1: a Contact is a person itself and belongs to no other']],
    ['consent: all', ['3:10: "consent" must be a block of fields that say no, or none']],
    [
      'consent: { News__c: { when: true } }',
      [
        '3:12: the consent rule of "News__c" does not say what to unsubscribe from: unsubscribe: all, channels or messageTypes',
      ],
    ],
    [
      'consent: { News__c: { unsubscribe: al } }',
      [
        '3:12: the consent rule of "News__c" has no "when": the value of the field that says no, e.g. when: true',
        '3:36: "unsubscribe" is all; did you mean "all"?',
      ],
    ],
    [
      'consent: { News__c: { when: null, channels: 12 } }',
      [
        '3:29: "when" of the consent rule of "News__c" must be a value of the field, or a list of them',
        `3:45: "channels" must be a list of Iterable's ids, e.g. [123]`,
      ],
    ],
    ['consent: { News c: { when: true, unsubscribe: all } }', ['3:12: "News c" is not the path of a Salesforce field']],
  ])('%s', (blocks, mistakes) => {
    expect(mistakesOf(blocks)).toEqual(mistakes);
  });

  const item = 'object: Item__c\nfields: { Name: dataFields.Item }\n';
  it.each([
    [
      'identity: { belongsTo: Contact__r }',
      ['3:24: "Contact__r" is a relationship; name the lookup field itself; did you mean "Contact__c"?'],
    ],
    [
      'identity: { belongsTo: 5 }',
      ['3:24: "belongsTo" must be the lookup field to a Lead or Contact, e.g. Contact__c'],
    ],
    ['identity: {}', ['3:1: "identity" says nothing; write belongsTo: the lookup field to a Lead or Contact']],
    [
      'identity: { belongsTo: Contact__c }\nconsent: { No__c: { when: true, unsubscribe: all } }',
      ['4:1: "consent" is for persons: a record that belongs to another says no for nobody'],
    ],
  ])('of who is no person: %s', (blocks, mistakes) => {
    expect(mistakesOf(blocks, item)).toEqual(mistakes);
  });

  it('count the relationships of every block', () => {
    const lines = Array.from({ length: 55 }, (_, index) => `  P${index}__r.Name: dataFields.P${index}`);
    expect(mistakesOf(`${lines.join('\n')}\nwhen: Q__r.Active__c = true`, 'object: Contact\nfields:\n')).toEqual([
      '3:3: 56 relationships are read; SOQL allows 55 in one query',
    ]);
  });
});
