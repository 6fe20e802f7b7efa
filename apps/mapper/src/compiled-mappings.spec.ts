import { describe, expect, it } from 'vitest';
import { isRetryable } from '@libs/contracts';
import { parseMappingFiles } from '@libs/mapping';
import { SalesforceUnavailableError } from '@libs/salesforce';
import { CompiledMappings, MappedFieldHiddenError } from './compiled-mappings.js';
import { FakeOrg } from '../test/fake-org.js';

const text = `object: Lead
fields:
  Email: email
  LastName: dataFields.Last
  Owner.Name: dataFields.Owner
`;

function setUp(): { org: FakeOrg; mappings: CompiledMappings } {
  const org = new FakeOrg();
  return { org, mappings: new CompiledMappings(parseMappingFiles([{ name: 'Lead.yaml', text }]), org) };
}

describe('CompiledMappings', () => {
  it('asks the org once, for the object and its parents, and selects what they have', async () => {
    const { org, mappings } = setUp();
    const [first, second] = await Promise.all([mappings.of('Lead'), mappings.of('Lead')]);
    expect(first).toBe(second);
    expect(first?.select).toEqual([
      'Id',
      'IsDeleted',
      'SystemModstamp',
      'CreatedDate',
      'Email',
      'LastName',
      'Owner.Name',
    ]);
    expect(org.described).toEqual(['Lead', 'Group', 'User']);
    expect(await mappings.of('Lead')).toBe(first);
    expect(org.described).toHaveLength(3);
  });

  it('has none for an object without a file, and asks nothing', async () => {
    const { org, mappings } = setUp();
    expect(await mappings.of('Account')).toBeNull();
    expect(org.described).toEqual([]);
  });

  it('names every field that the user cannot see, as something to wait for, and sees it come back', async () => {
    const { org, mappings } = setUp();
    const lead = org.fields['Lead'] as Record<string, string>;
    delete lead['Email'];
    delete lead['LastName'];
    lead['LastNme'] = 'string';
    const refusal = await mappings.of('Lead').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MappedFieldHiddenError);
    expect(isRetryable(refusal)).toBe(true);
    expect((refusal as Error).message).toBe(
      'Lead.yaml: the integration user cannot see Lead.Email, Lead.LastName (did you mean LastNme?): ' +
        'gone, misspelt or hidden by field-level security',
    );
    Object.assign(lead, { Email: 'email', LastName: 'string' });
    expect((await mappings.of('Lead'))?.object).toBe('Lead');
  });

  it('asks again after a failure, and when told to forget', async () => {
    const { org, mappings } = setUp();
    const answer = org.describe.bind(org);
    org.describe = () => Promise.reject(new SalesforceUnavailableError('describe of Lead: 503'));
    await expect(mappings.of('Lead')).rejects.toThrow(SalesforceUnavailableError);
    org.describe = answer;
    const first = await mappings.of('Lead');
    mappings.forget('Lead');
    expect(await mappings.of('Lead')).not.toBe(first);
    expect(org.described).toHaveLength(6);
  });

  it('gives the mapping of another set from the moment that it is replaced; what was given before stays', async () => {
    const { org, mappings } = setUp();
    const before = await mappings.of('Lead');
    const slow = Promise.withResolvers<void>();
    const answer = org.describe.bind(org);
    org.describe = async (name) => {
      await slow.promise;
      return answer(name);
    };
    mappings.forget('Lead');
    const underWay = mappings.of('Lead');
    const without = text.replace('  LastName: dataFields.Last\n', '');
    mappings.replace(parseMappingFiles([{ name: 'Lead.yaml', text: without }]));
    slow.resolve();
    expect((await underWay)?.version).toBe(before?.version);
    const after = await mappings.of('Lead');
    expect(after?.select).not.toContain('LastName');
    expect(before?.select).toContain('LastName');
    mappings.replace(parseMappingFiles([]));
    expect(await mappings.of('Lead')).toBeNull();
  });
});
