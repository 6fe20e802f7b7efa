import { describe, expect, it } from 'vitest';
import { claim, message, update, removal, rename, decided, type Rows } from './decide.cases.js';
import type { MessageRef } from './decide.js';
import type { Policy } from './decision.js';

describe('an update where a profile is an address', () => {
  it.each<[string, Rows, MessageRef, string]>([
    ['a new record', {}, update('L1', 'a'), 'write a | L1 email=a claims=a | written'],
    [
      'one written before',
      { L1: { email: 'a', ...claim('a') } },
      update('L1', 'a'),
      'write a | L1 email=a claims=a | written',
    ],
    [
      'a new address',
      { L1: { email: 'a', ...claim('a') } },
      update('L1', 'b'),
      'move a>b, write b | L1 email=b claims=b | written',
    ],
    [
      'a new address, after a crash on the way to another',
      { L1: { email: 'a', intents: ['b'], ...claim('a') } },
      update('L1', 'c'),
      'move a>c, move b>c, write c | L1 email=c claims=c | written',
    ],
    [
      'a new address, while another claims the old one',
      { L1: { email: 'a', ...claim('a', 3) }, L2: claim('a', 2) },
      update('L1', 'b', { createdMs: 3 }),
      'write b | L1 email=b claims=b; L2 email=a claims=a | ask L2 | written',
    ],
    [
      'a new address, while its old one is written by its owner',
      { L1: { email: 'a', ...claim('a') }, C1: { email: 'a', ...claim('a') } },
      update('L1', 'b'),
      'write b | L1 email=b claims=b | written',
    ],
    [
      'a Lead whose address a Contact has',
      { C1: { email: 'a', ...claim('a') } },
      update('L1', 'a', { createdMs: 9 }),
      '- | L1 claims=a | writer.outranked',
    ],
    [
      'a Contact whose address a Lead has',
      { L1: { email: 'a', ...claim('a', 9) } },
      update('C1', 'a'),
      'write a | C1 email=a claims=a | written',
    ],
    [
      'the newer of two Contacts',
      { C1: { email: 'a', ...claim('a', 1) } },
      update('C2', 'a', { createdMs: 2 }),
      'write a | C2 email=a claims=a | written',
    ],
    [
      'the older of two Contacts',
      { C2: { email: 'a', ...claim('a', 2) } },
      update('C1', 'a', { createdMs: 1 }),
      '- | C1 claims=a | writer.outranked',
    ],
    [
      'two of the same second: the greater id',
      { C2: { email: 'a', ...claim('a') } },
      update('C1', 'a'),
      '- | C1 claims=a | writer.outranked',
    ],
    [
      'another object last',
      { L1: { email: 'a', ...claim('a', 1) } },
      update('X1', 'a', { createdMs: 9 }),
      '- | X1 claims=a | writer.outranked',
    ],
    [
      'one that is outranked at its new address: it goes into that profile',
      { L1: { email: 'a', ...claim('a') }, C1: { email: 'b', ...claim('b') } },
      update('L1', 'b'),
      'move a>b | L1 claims=b; C1 email=b claims=b | ask C1 | writer.outranked',
    ],
    [
      'the Contact of a converted Lead whose last write may not have been booked',
      { L1: { email: 'a', intents: ['c'], state: 'converted', convertedTo: 'C1' } },
      update('C1', 'b'),
      'move a>b, move c>b, write b | C1 email=b claims=b; L1 converted | written',
    ],
    [
      'the Contact of a converted Lead takes its profile along',
      { L1: { email: 'a', state: 'converted', convertedTo: 'C1' } },
      update('C1', 'b'),
      'move a>b, write b | C1 email=b claims=b; L1 converted | written',
    ],
    [
      'the Contact of a converted Lead with the same address',
      { L1: { email: 'a', state: 'converted', convertedTo: 'C1' } },
      update('C1', 'a'),
      'write a | C1 email=a claims=a; L1 converted | written',
    ],
    [
      'one that came back after it was forgotten',
      { L1: { email: 'a', state: 'gone', forgotten: 'forgotten' } },
      update('L1', 'a'),
      'unforget a, write a | L1 email=a claims=a | written',
    ],
  ])('%s', (_what, rows, about, shown) => {
    expect(decided('email', rows, about)).toBe(shown);
  });
});

describe.each(['user-id', 'hybrid'] as const)('an update in a %s project', (projectType) => {
  it.each<[string, Rows, MessageRef, string]>([
    ['a new record', {}, update('L1', 'a'), 'write L1 with a | L1 email=a id=L1 claims=a | written'],
    ['no usable address', {}, update('L1', null), 'write L1 with null | L1 id=L1 | written'],
    [
      'a new address moves with the user',
      { L1: { userId: 'L1', email: 'a', ...claim('a') } },
      update('L1', 'b'),
      'write L1 with b | L1 email=b id=L1 claims=b | written',
    ],
    [
      'an address given up goes to the next in line',
      { L1: { userId: 'L1', email: 'a', ...claim('a', 2) }, L2: { userId: 'L2', ...claim('a', 1) } },
      update('L1', 'b', { createdMs: 2 }),
      'write L1 with b | L1 email=b id=L1 claims=b | ask L2 | written',
    ],
    [
      'a Lead whose address a Contact has is written without it',
      { C1: { userId: 'C1', email: 'a', ...claim('a') } },
      update('L1', 'a'),
      'write L1 with null | L1 id=L1 claims=a | written',
    ],
    [
      'a Contact takes its address from the Lead that has it',
      { L1: { userId: 'L1', email: 'a', ...claim('a') } },
      update('C1', 'a'),
      'set L1, write C1 with a | C1 email=a id=C1 claims=a; L1 id=L1 claims=a | written',
    ],
    [
      'the Contact of a converted Lead takes its profile in',
      { L1: { userId: 'L1', email: 'a', state: 'converted', convertedTo: 'C1' } },
      update('C1', 'a'),
      'move L1>C1, write C1 with a | C1 email=a id=C1 claims=a; L1 converted | written',
    ],
  ])('%s', (_what, rows, about, shown) => {
    expect(decided(projectType, rows, about)).toBe(shown);
  });
});

describe('a mapped user id that two records have', () => {
  const one = (more: object = {}) => ({ userId: 'U', createdMs: 1, ...claim('a'), ...more });

  it.each<[string, Rows, MessageRef, string]>([
    [
      'the one that gives way is not written, nor is its address taken away',
      { C1: { ...one(), email: 'a' } },
      update('L1', 'b', { userId: 'U' }),
      '- | L1 id=U | writer.outranked',
    ],
    [
      'the one before the other is written',
      { L1: one() },
      update('C1', 'a', { userId: 'U' }),
      'write U with a | C1 email=a id=U claims=a | written',
    ],
    [
      'when the first is deleted, its profile is the other’s',
      { C1: { ...one(), email: 'a' }, L1: { userId: 'U', createdMs: 1 } },
      removal('C1'),
      '- | C1 gone | ask L1 | writer.profile_shared',
    ],
    [
      'when the first gets another id, the profile stays with the other',
      { C1: { ...one(), email: 'a' }, L1: { userId: 'U', createdMs: 1 } },
      update('C1', 'a', { userId: 'V' }),
      'write V with a | C1 email=a id=V claims=a | ask L1 | written',
    ],
  ])('%s', (_what, rows, about, shown) => {
    expect(decided('hybrid', rows, about)).toBe(shown);
  });
});

describe('a removal', () => {
  const one = { L1: { email: 'a', ...claim('a') } };
  it.each<[string, Rows, MessageRef, Partial<Policy>, string]>([
    ['delete', one, removal('L1'), {}, 'delete a | L1 gone | written'],
    ['forget', one, removal('L1'), { onDelete: 'forget' }, 'forget a | L1 email=a gone forgotten | written'],
    ['unsubscribe', one, removal('L1'), { onDelete: 'unsubscribe' }, 'unsubscribe a | L1 email=a gone | written'],
    ['ignore', one, removal('L1'), { onDelete: 'ignore' }, '- | L1 email=a gone | salesforce.deleted'],
    [
      'flag',
      one,
      removal('L1', { flagFields: { Deleted: true } }),
      { onDelete: 'flag' },
      'set a | L1 email=a gone | written',
    ],
    ['flag without a field', one, removal('L1'), { onDelete: 'flag' }, '- | L1 email=a gone | writer.no_flag_field'],
    ['of a record never seen', {}, removal('L1'), {}, '- | L1 gone | salesforce.deleted'],
    [
      'of one that shares its profile: untouched, and the heir is asked for',
      { ...one, L2: claim('a', 0) },
      removal('L1'),
      {},
      '- | L1 gone; L2 email=a claims=a | ask L2 | writer.profile_shared',
    ],
    [
      'of one that is outranked: nobody is asked for',
      { L1: claim('a'), C1: { email: 'a', ...claim('a') } },
      removal('L1'),
      {},
      '- | L1 gone | salesforce.deleted',
    ],
    [
      'of a filtered record: the profile stays, the claim goes',
      one,
      removal('L1', { gone: false, outcome: 'filtered', reason: 'mapping.filtered' }),
      {},
      '- | L1 email=a withdrawn | mapping.filtered',
    ],
    [
      'of a Contact takes the profiles of its Leads with it',
      { C1: { email: 'b', ...claim('b') }, L1: { email: 'a', state: 'converted', convertedTo: 'C1' } },
      removal('C1'),
      {},
      'delete b, delete a | C1 gone; L1 converted | written',
    ],
    [
      'twice',
      { L1: { email: 'a', state: 'gone', forgotten: 'forgotten' } },
      removal('L1'),
      { onDelete: 'forget' },
      '- | L1 email=a gone forgotten | salesforce.deleted',
    ],
  ])('%s', (_what, rows, about, more, shown) => {
    expect(decided('email', rows, about, more)).toBe(shown);
  });

  it('hands the address on where profiles are records', () => {
    const rows = { L1: { userId: 'L1', email: 'a', ...claim('a', 2) }, L2: { userId: 'L2', ...claim('a', 1) } };
    expect(decided('hybrid', rows, removal('L1'))).toBe('delete L1 | L1 gone | ask L2 | written');
    expect(decided('hybrid', rows, removal('L1'), { onDelete: 'ignore' })).toBe(
      '- | L1 email=a id=L1 gone | ask L2 | salesforce.deleted',
    );
    const after = { ...rows, L1: { userId: 'L1', email: 'a', state: 'gone' as const } };
    expect(decided('hybrid', after, update('L2', 'a'))).toBe(
      'set L1, write L2 with a | L2 email=a id=L2 claims=a; L1 id=L1 gone | written',
    );
  });
});

describe('a conversion', () => {
  it.each<[string, Rows, string]>([
    [
      'before the Contact is known',
      { L1: { email: 'a', ...claim('a') } },
      '- | L1 email=a converted | salesforce.converted',
    ],
    [
      'with a Contact of another address: it is asked for, to take the profile in',
      { L1: { email: 'a', ...claim('a') }, C1: { email: 'b', ...claim('b') } },
      '- | L1 email=a converted | ask C1 | salesforce.converted',
    ],
    [
      'with a Contact that has the profile already',
      { L1: { email: 'a', ...claim('a') }, C1: { email: 'a', ...claim('a') } },
      '- | L1 converted | salesforce.converted',
    ],
    [
      'into a Contact that is deleted',
      { L1: { email: 'a', ...claim('a') }, C1: { state: 'gone' } },
      'delete a | L1 converted | written',
    ],
  ])('%s', (_what, rows, shown) => {
    expect(decided('email', rows, rename('L1', 'C1'))).toBe(shown);
  });

  it('into a Contact that is deleted, which is to be flagged', () => {
    const rows = { L1: { userId: 'L1', ...claim('a') }, C1: { state: 'gone' as const } };
    const about = message('L1', { kind: 'rename', toRecordId: 'C1', flagFields: { Deleted: true } });
    expect(decided('hybrid', rows, about, { onDelete: 'flag' })).toBe('set L1 | L1 id=L1 converted | written');
  });
});

describe('the profile of a record that is gone', () => {
  it('is another’s once that writes there', () => {
    const rows = { L1: { email: 'a', state: 'gone' as const } };
    expect(decided('email', rows, update('L2', 'a'))).toBe('write a | L2 email=a claims=a; L1 gone | written');
  });

  it('is another’s also when a dying writer never said so, and moves with it', () => {
    const rows = { L1: { email: 'a', state: 'gone' as const }, L2: { intents: ['a'] } };
    expect(decided('email', rows, update('L2', 'b'))).toBe(
      'move a>b, write b | L2 email=b claims=b; L1 gone | written',
    );
  });

  it('is kept in mind with those of the Leads that became it, while it is there', () => {
    const lead = { userId: 'L1', email: 'a', state: 'converted' as const, convertedTo: 'C1' };
    const rows = { C1: { userId: 'C1', ...claim('b') }, L1: lead };
    expect(decided('hybrid', rows, removal('C1'), { onDelete: 'ignore' })).toBe(
      '- | C1 id=C1 gone; L1 email=a id=L1 converted | salesforce.deleted',
    );
    expect(decided('hybrid', rows, removal('C1'))).toBe('delete C1, delete L1 | C1 gone; L1 converted | written');
  });
});

describe('an address that a record had by right, before its own write', () => {
  const rows = { C1: { userId: 'C1', ...claim('a', 2) }, C2: { userId: 'C2', ...claim('a', 1) } };

  it.each<[string, MessageRef, string]>([
    [
      'goes to the next in line when it moves',
      update('C1', 'b'),
      'write C1 with b | C1 email=b id=C1 claims=b | ask C2 | written',
    ],
    ['when it is deleted', removal('C1'), 'delete C1 | C1 gone | ask C2 | written'],
    ['when it is converted', rename('C1', 'C9'), '- | C1 id=C1 converted | ask C2 | salesforce.converted'],
  ])('%s', (_what, about, shown) => {
    expect(decided('hybrid', rows, about)).toBe(shown);
  });

  it('asks nobody who has it already', () => {
    const had = { ...rows, C2: { ...rows.C2, email: 'a' } };
    expect(decided('hybrid', had, removal('C1'))).toBe('delete C1 | C1 gone | written');
  });

  it('goes to the next in line where a profile is an address, too', () => {
    const byEmail = { C1: claim('a', 2), C2: claim('a', 1) };
    expect(decided('email', byEmail, removal('C1'))).toBe('- | C1 gone | ask C2 | salesforce.deleted');
  });
});
