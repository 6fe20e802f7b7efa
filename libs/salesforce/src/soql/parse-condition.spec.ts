import { describe, expect, it } from 'vitest';
import { InvalidConditionError, parseCondition } from './parse-condition.js';

function refusal(where: string): InvalidConditionError {
  try {
    parseCondition('Lead', where);
  } catch (error) {
    if (error instanceof InvalidConditionError) return error;
    throw error;
  }
  throw new Error(`not refused: ${where}`);
}

describe('parseCondition', () => {
  it.each([
    ["LastName='x'", "LastName = 'x'"],
    ['email!=null', 'email != NULL'],
    [
      "Email != null AND (A__c > 1 OR LastName LIKE 'a\\'b%')",
      "Email != NULL AND (A__c > 1 OR LastName LIKE 'a\\'b%')",
    ],
    ["NOT (A = 'b') AND NOT C = 1", "NOT (A = 'b') AND NOT C = 1"],
    ["Account.Name INCLUDES ('a;b','c')", "Account.Name INCLUDES ('a;b', 'c')"],
    [
      "Status IN ('Open','Closed') AND CreatedDate = LAST_N_DAYS:5",
      "Status IN ('Open', 'Closed') AND CreatedDate = LAST_N_DAYS:5",
    ],
    ['CreatedDate >= 2020-01-01T00:00:00Z', 'CreatedDate >= 2020-01-01T00:00:00Z'],
    ['CALENDAR_YEAR(CreatedDate) = 2020', 'CALENDAR_YEAR(CreatedDate) = 2020'],
    ['((A = 1) AND (B = 2 AND C = 3)) OR D = TRUE', '((A = 1) AND (B = 2 AND C = 3)) OR D = TRUE'],
    ["Name = 'FROM User LIMIT 5 -- '", "Name = 'FROM User LIMIT 5 -- '"],
  ])('%s', (where, expected) => {
    expect(parseCondition('Lead', where)).toBe(expected);
    expect(parseCondition('Lead', expected)).toBe(expected);
  });

  it.each([
    ['', 'the condition is empty'],
    ['  ', 'the condition is empty'],
    ['Id IN (SELECT LeadId FROM CampaignMember)', 'subqueries are not supported'],
    [
      "A = 1 AND (B = 2 OR Id NOT IN (SELECT LeadId FROM CampaignMember WHERE Name = 'x'))",
      'subqueries are not supported',
    ],
    ["Name = 'x' ORDER BY Id", 'ORDER BY is not part of a condition'],
    ["Name = 'x' LIMIT 1", 'LIMIT is not part of a condition'],
    ['A = 1 LIMIT 1 OFFSET 5', 'LIMIT is not part of a condition'],
    ['A = 1 GROUP BY B', 'GROUP BY is not part of a condition'],
    ['A = 1 FOR UPDATE', 'FOR is not part of a condition'],
    ['A = 1 WITH SECURITY_ENFORCED', 'WITH SECURITY_ENFORCED is not part of a condition'],
    ['A = 1 AND B = 2 OR C = 3', 'AND and OR side by side: put parentheses round one of them'],
    ['(A = 1 OR B = 2 AND C = 3) AND D = 4', 'AND and OR side by side: put parentheses round one of them'],
    ['A.B.C.D.E.F.G = 1', 'more than 5 parents: A.B.C.D.E.F.G'],
  ])('refuses %s', (where, problem) => {
    expect(refusal(where).problem).toBe(problem);
  });

  it.each([
    ["Name = 'x", 'unreadable: an unclosed quote, a comment or a stray character', 7],
    ["Name='x' // c", 'unreadable: an unclosed quote, a comment or a stray character', 9],
    ["Name='x' /* c */", 'unreadable: an unclosed quote, a comment or a stray character', 9],
    ['A = 1) OR (B = 2', 'unexpected )', 5],
    ["Name = 'a'; DROP", 'unexpected ;', 10],
    ["A IN ('x', 'it''s')", 'unexpected string', 15],
    ['(A = 1', 'the condition ends too early', null],
    ['A =', 'the condition ends too early', null],
    ['A = 1 AND', 'the condition ends too early', null],
    ['Name = :bind', 'unexpected :', 7],
    ['1 = 1', 'unexpected 1', null],
    ['A = 1 ALL ROWS', 'unexpected ROWS', 10],
    ['A = 1 USING SCOPE mine', 'unexpected USING', 6],
    ['LastName', 'the condition ends too early', null],
    ['WHERE A = 1', 'unexpected WHERE', 0],
  ])('refuses %s and says where', (where, problem, position) => {
    const { problem: found, position: at } = refusal(where);
    expect([found, at]).toEqual([problem, position]);
  });

  it('never quotes the condition in its message', () => {
    expect(refusal("Email = 'ann@example.com' ORDER BY Id").message).not.toContain('ann');
    expect(refusal("Email = 'ann@example.com").message).not.toContain('ann');
  });

  it('refuses an object that is no name', () => {
    expect(() => parseCondition('Lead WHERE 1', 'A = 1')).toThrow('not an API name');
  });
});
