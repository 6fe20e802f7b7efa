import { describe, expect, it } from 'vitest';
import { MappingFilesError, parseMappingFiles, type MappingSet } from '@libs/mapping';
import { SalesforceQueryError, SalesforceUnavailableError } from '@libs/salesforce';
import { FakeOrg } from '../test/fake-org.js';
import { checkFields } from './resolve-mapping.js';

const setOf = (files: Record<string, readonly string[]>): MappingSet =>
  parseMappingFiles(
    Object.entries(files).map(([object, sources]) => {
      const lines = sources.map((source, index) => `  ${source}: dataFields.f${index}`);
      return { name: `${object}.yaml`, text: [`object: ${object}`, 'fields:', ...lines, ''].join('\n') };
    }),
  );

async function mistakesOf(checking: Promise<void>): Promise<string[]> {
  const error = await checking.catch((thrown: unknown) => thrown);
  if (!(error instanceof MappingFilesError)) throw error;
  return error.mistakes.map(({ file, message, suggestion }) => `${file}: ${message} (${suggestion ?? '-'})`);
}

describe('checkFields', () => {
  it('asks only for what changed, so that a mapping in force whose field is hidden refuses no other edit', async () => {
    const org = new FakeOrg();
    const inForce = setOf({ Lead: ['Gone__c'], User: ['Name'] });
    await checkFields(setOf({ Lead: ['Gone__c'], Group: ['Name'] }), inForce, org);
    expect(org.described).toEqual(['Group']);
  });

  it('names every field that the org does not show, through lookups too', async () => {
    const next = setOf({ Lead: ['Email', 'LastNme', 'Owner.Nme', 'Ownr.Name'] });
    expect(await mistakesOf(checkFields(next, setOf({ User: ['Name'] }), new FakeOrg()))).toEqual([
      expect.stringContaining('Lead.yaml: the integration user cannot see Lead.LastNme: '),
      expect.stringContaining('Lead.yaml: the integration user cannot see Lead.Owner.Nme: '),
      expect.stringContaining('Lead.yaml: the integration user cannot see Lead.Ownr.Name: '),
    ]);
  });

  it('takes an object that the org does not know for a mistake of its file', async () => {
    const org = new FakeOrg();
    org.describe = () => Promise.reject(new SalesforceQueryError('describe of Leed: no such object', 'NOT_FOUND'));
    expect(await mistakesOf(checkFields(setOf({ Leed: ['Email'] }), setOf({}), org))).toEqual([
      'Leed.yaml: Salesforce refuses it: describe of Leed: no such object (-)',
    ]);
  });

  it('fails as the client does while the org cannot be asked', async () => {
    const org = new FakeOrg();
    org.describe = () => Promise.reject(new SalesforceUnavailableError('describe of Lead: 503'));
    await expect(checkFields(setOf({ Lead: ['Email'] }), setOf({}), org)).rejects.toThrow(SalesforceUnavailableError);
  });
});
