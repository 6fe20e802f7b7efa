import { describe, expect, it } from 'vitest';
import { recordTypeOfId, toRecordId } from './record-id.js';

describe('toRecordId', () => {
  // Real pairs, facts/salesforce.md §6.
  it.each([
    ['0015f00002JUX1J', '0015f00002JUX1JAAX'],
    ['0015f00002JUZPc', '0015f00002JUZPcAAP'],
    ['0035f00002EztxD', '0035f00002EztxDAAR'],
    ['003Rj00000Buj14', '003Rj00000Buj14IAB'],
    ['00Q5f000005bwLF', '00Q5f000005bwLFEAY'],
    ['00QVS000005jAeg', '00QVS000005jAeg2AE'],
    ['0055f000005mc66', '0055f000005mc66AAA'],
    ['001ZM000001n4n5', '001ZM000001n4n5YAA'],
    ['000000000000000', '000000000000000AAA'],
  ])('%s becomes %s', (id15, id18) => {
    expect(toRecordId(id15)).toBe(id18);
    expect(toRecordId(id18)).toBe(id18);
  });

  it.each([
    ['too short', '0015f00002JUX1'],
    ['wrong checksum', '0015f00002JUX1JAAA'],
    ['a wildcard of a gap event', '001*'],
    ['an injection', "001' OR Id != '"],
    ['empty', ''],
  ])('refuses %s', (_why, text) => {
    expect(toRecordId(text)).toBeNull();
  });
});

describe('recordTypeOfId', () => {
  it.each([
    ['00Q5f000005bwLFEAY', 'Lead'],
    ['0035f00002EztxDAAR', 'Contact'],
    ['0015f00002JUX1JAAX', 'Account'],
    ['7015f00002JUX1JAAX', null],
  ])('%s is a %s', (id, type) => {
    expect(recordTypeOfId(id)).toBe(type);
  });
});
