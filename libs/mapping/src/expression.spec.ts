import { describe, expect, it } from 'vitest';
import { expressionReads } from './expression-reads.js';
import { compileExpression, MAX_EXPRESSION_STEPS } from './expression.js';

const record = {
  FirstName: 'Ann',
  LastName: 'Lee',
  Count: 5,
  Interests: 'Golf;Chess',
  Created: '2022-11-09T01:46:18.000+0000',
};

describe('compileExpression', () => {
  it.each([
    ["FirstName & ' ' & LastName", 'Ann Lee'],
    ['Count * 1.5', 7.5],
    ['Count > 3 and $exists(FirstName)', true],
    ['$split(Interests, ";")', ['Golf', 'Chess']],
    ['$toMillis(Created)', Date.UTC(2022, 10, 9, 1, 46, 18)],
    ['$fromMillis($toMillis(Created), "[Y]-[M01]")', '2022-11'],
    ['{"City": "Rome", "None": null}', { City: 'Rome', None: null }],
    ['Missing', null],
    ['$uppercase(Missing)', null],
    ['Missing & LastName', 'Lee'],
    ['Missing > 3', null],
    ['[1..3]', [1, 2, 3]],
  ])('%s', async (text, value) => {
    expect(await compileExpression(text)(record)).toStrictEqual({ kind: 'value', value });
  });

  it.each([
    ['$uppercase(Count)', 'an argument of a function has the wrong type (JSONata T0410, near character 11)'],
    ['Count + FirstName', 'the right side of an operator is no number (JSONata T2002, near character 7)'],
    ['$number(FirstName)', 'a value is no number (JSONata D3030, near character 8)'],
    ['$error(FirstName)', '$error was called (JSONata D3137, near character 7)'],
    ['$assert(false, FirstName)', '$assert does not hold (JSONata D3141, near character 8)'],
    ['$uppercase', 'it gives something that is no value'],
    ['/Ann/', 'it gives something that is no value'],
    ['1 / 0', 'it gives something that is no value'],
    ['{FirstName & " Lee": 1}', 'it gives an object with a name that is not letters, digits and underscores'],
    ['[1..99999]', 'a sequence has more than 10000 elements (JSONata D2015, near character 4)'],
  ])('%s fails, without a value of the record in what it says', async (text, reason) => {
    const found = await compileExpression(text)(record);
    expect(found).toEqual({ kind: 'failed', reason });
    expect(JSON.stringify(found)).not.toMatch(/Ann|Lee"/);
  });

  it.each([
    ['in a loop', '($f := function($x){ $f($x) }; $f(1))', `it takes more than ${MAX_EXPRESSION_STEPS} steps`],
    ['nested', '($f := function($x){ 1 + $f($x) }; $f(1))', 'it is nested more than 500 deep'],
  ])('ends what has no end: %s', async (_how, text, reason) => {
    const evaluate = compileExpression(text);
    expect(await evaluate({})).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) as unknown });
    expect(await evaluate({})).toMatchObject({ kind: 'failed' }); // and counts anew each time
  });

  it('counts the steps of each record by itself, also of several at a time', async () => {
    const evaluate = compileExpression('$sum($map([1..2000], function($n) { $n + Count }))');
    const found = await Promise.all(Array.from({ length: 10 }, () => evaluate({ Count: 1 })));
    expect(new Set(found.map((one) => JSON.stringify(one)))).toEqual(new Set(['{"kind":"value","value":2003000}']));
  });

  it('does not depend on the day', async () => {
    expect(await compileExpression('$toMillis("10:30", "[H]:[m]")')({})).toEqual({ kind: 'value', value: 37_800_000 });
  });
});

function readsOf(text: string): string {
  const { reads, mistakes } = expressionReads(text);
  if (mistakes.length > 0) return mistakes.map(({ message }) => message).join('; ');
  return reads.map(({ path, existence }) => (existence ? `${path}?` : path)).join(' ');
}

const whole = 'cannot be used: it reads the whole record, so that nobody can see which fields it needs; name them';

describe('expressionReads', () => {
  it.each([
    ["FirstName & ' ' & LastName", 'FirstName LastName'],
    ['Account.Owner.Name', 'Account.Owner.Name'],
    ['$$.Account.Name', 'Account.Name'],
    ['$.Email', 'Email'],
    ['Account.(Owner.Name & $$.Email)', 'Account.Owner.Name Email'],
    ['Account.{"x": Name}', 'Account.Name'],
    ['($a := Account; $a.Name)', 'Account.Name'],
    ['(Account).Name', 'Account.Name'],
    ['(Vip ? Account : Partner__r).Name', 'Vip? Account.Name Partner__r.Name'],
    ['$exists(Account) ? Account.Name : "none"', 'Account? Account.Name'],
    ['Email != null and Vip', 'Email? Vip?'],
    ['Account.Name.$uppercase()', 'Account.Name'],
    ['Account[Type = "Customer"].Name', 'Account.Type Account.Name'],
    ['$map($split(A, ";"), function($v, $i) { $v & B })', 'A B'],
    ['($f := function($x) { $x.Name }; $f(Account))', 'Account'],
    ['($f := function($n) { $n < 1 ? 0 : $f($n - 1) }; $f(Count))', 'Count'],
    ['Name ~> $uppercase', 'Name'],
    ['A@$x.B[$x.C = 1]', 'A.C B'],
    ['A#$i.B', 'A.B'],
    ['A^(>B).C', 'A.B A.C'],
    ['A{B: C}', 'A.B A.C'],
    ['$substring(A, ?, 3)', 'A'],
    ['A ?: B', 'A? A B'],
    ['A ?? B', 'A? A B'],
    ['[A, -B, 1, "x", /y/]', 'A B'],
  ])('%s reads %s', (text, reads) => {
    expect(readsOf(text)).toBe(reads);
  });

  it.each([
    ['$', whole],
    ['$$', whole],
    ['$lookup($, "Email")', whole],
    ['$lookup("Email")', whole],
    ['$keys()', whole],
    ['$string()', whole],
    ['{"all": $}', whole],
    ['($r := $$; $merge([$r, {"x": 1}]))', whole],
    ['$sift(function($v) { true })', whole],
    ['$ ~> |Account|{"x": 1}|', whole],
    ['Account.*', 'cannot be used: "*" does not say which fields it reads; name them'],
    ['**.Name', 'cannot be used: "**" does not say which fields it reads; name them'],
    [
      'A.%.B',
      'cannot be used: the parent operator % does not say which fields it reads; write the path from the record, $$.…',
    ],
    ['$x.Name', 'cannot be used: $x is neither a function of JSONata nor bound before'],
    ['($x := A; $x := Account; $x.Name)', 'cannot be used: $x is bound twice; give the second one another name'],
    [
      'Vip ? $x := B : 0',
      'cannot be used: a variable is bound where it cannot be followed; bind it in a block: ($name := …; …)',
    ],
    ['Email = null', 'cannot be used: an empty field is not there at all in an expression, so "= null" is never true'],
    ['$eval("Email")', 'cannot be used: $eval does not show which fields it reads; write the expression itself'],
    ['FirstName &', 'is not JSONata: Unexpected end of expression'],
    ['(A', 'is not JSONata: Expected ")" before end of expression'],
  ])('%s: %s', (text, mistake) => {
    expect(readsOf(text)).toBe(mistake);
  });

  it.each(['$now()', '$millis()', '$random()', '$shuffle(A)', '($f := $now; $f())', '[1] ~> $shuffle'])(
    '%s depends on more than the record',
    (text) => {
      expect(readsOf(text)).toMatch(/^cannot be used: \$\w+ depends on (the clock|chance), /);
    },
  );
});
