import type { SandboxProcess } from './sandbox.js';

type Row = Record<string, unknown>;

/** Removes what is null, at any depth: Iterable shows no field for it. */
function withoutNulls(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const kept = Object.entries(value as Row)
    .map(([key, inner]) => [key, withoutNulls(inner)] as const)
    .filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(kept);
}

/** Fields of a Lead that the comparison reads. */
export const leadFields = ['Id', 'Email', 'FirstName', 'LastName', 'Company', 'Status', 'LeadSource', 'Owner.Email'];

/** What Iterable must hold of a Lead, by hand: not by the product's mapper. */
export function expectedLead(row: Row): Row {
  return withoutNulls({
    Name: { First: row['FirstName'], Last: row['LastName'] },
    Company: { Name: row['Company'] },
    Lead: { Status: row['Status'], Source: row['LeadSource'] },
    Salesforce: { Id: row['Id'] },
    Owner: { Email: (row['Owner'] as Row | null)?.['Email'] },
  }) as Row;
}

/** Does `actual` hold all of `expected`, at any depth? */
function holds(actual: unknown, expected: unknown): boolean {
  if (expected === null || typeof expected !== 'object') return actual === expected;
  if (actual === null || typeof actual !== 'object') return false;
  return Object.entries(expected).every(([key, value]) => holds((actual as Row)[key], value));
}

export interface Comparison {
  readonly compared: number;
  /** Records without an email: they have no profile. */
  readonly withoutEmail: number;
  /** Ids of the Leads that are not in Iterable, and of those whose fields differ. */
  readonly missing: string[];
  readonly different: string[];
}

/** What else is compared than {@link leadFields}. */
export interface MoreExpected {
  readonly fields: readonly string[];
  /** Instead of {@link expectedLead}. */
  expected(row: Row): Row;
}

/** Compares every Lead of the org with every profile of the project, field by field. */
export async function compareLeads(
  sandbox: Pick<SandboxProcess, 'query' | 'admin'>,
  { fields, expected }: MoreExpected = { fields: [], expected: expectedLead },
): Promise<Comparison> {
  const leads = await sandbox.query(`SELECT ${[...leadFields, ...fields].join(', ')} FROM Lead`);
  const { profiles } = await sandbox.admin<{ profiles: Array<{ email?: string; dataFields: Row }> }>(
    'GET',
    '/iterable/profiles',
  );
  const byEmail = new Map(profiles.map((profile) => [profile.email?.toLowerCase(), profile.dataFields]));
  const result: Comparison = {
    compared: leads.length,
    withoutEmail: leads.filter((lead) => lead['Email'] === null).length,
    missing: [],
    different: [],
  };
  for (const lead of leads) {
    if (typeof lead['Email'] !== 'string') continue;
    const actual = byEmail.get(lead['Email'].toLowerCase());
    if (actual === undefined) result.missing.push(String(lead['Id']));
    else if (!holds(actual, expected(lead))) result.different.push(String(lead['Id']));
  }
  return result;
}
