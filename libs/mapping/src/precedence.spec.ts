import { expect, it } from 'vitest';
import { outranks, type Claimant } from './precedence.js';

const line: Claimant[] = [
  { recordType: 'Contact', recordId: '0032', createdMs: 1 },
  { recordType: 'Contact', recordId: '0031', createdMs: 1 },
  { recordType: 'Contact', recordId: '0039', createdMs: 0 },
  { recordType: 'Lead', recordId: '00Q1', createdMs: 9 },
  { recordType: 'Registration__c', recordId: 'a002', createdMs: 9 },
  { recordType: 'Invoice__c', recordId: 'a01', createdMs: 8 },
];

it('who comes before whom does not depend on who is asked', () => {
  for (const [at, a] of line.entries()) {
    for (const [other, b] of line.entries())
      expect([a.recordId, b.recordId, outranks(a, b)]).toEqual([a.recordId, b.recordId, at < other]);
  }
});
