import { describe, expect, it } from 'vitest';
import { describeMistake, MappingFilesError, parseMappingFiles, type MappingFile } from '@libs/mapping';
import { SalesforceQueryError, SalesforceUnavailableError } from '@libs/salesforce';
import { FakeOrg } from '../test/fake-org.js';
import { checkFields } from './resolve-mapping.js';

type Sources = Record<string, readonly string[]>;

const filesOf = (objects: Sources): MappingFile[] =>
  Object.entries(objects).map(([object, sources]) => {
    const lines = sources.map((source, index) => `  ${source}: dataFields.f${index}`);
    return { name: `${object}.yaml`, text: [`object: ${object}`, '# Owner.Nme', 'fields:', ...lines, ''].join('\n') };
  });
const edit = (next: Sources, inForce: Sources) => ({
  next: parseMappingFiles(filesOf(next)),
  inForce: parseMappingFiles(filesOf(inForce)),
  files: filesOf(next),
});

async function mistakesOf(checking: Promise<void>): Promise<string[]> {
  const error = await checking.catch((thrown: unknown) => thrown);
  if (!(error instanceof MappingFilesError)) throw error;
  return error.mistakes.map(describeMistake);
}

describe('checkFields', () => {
  it('asks only for what changed, so that a mapping in force whose field is hidden refuses no other edit', async () => {
    const org = new FakeOrg();
    await checkFields(edit({ Lead: ['Gone__c'], Group: ['Name'] }, { Lead: ['Gone__c'], User: ['Name'] }), org);
    expect(org.described).toEqual(['Group']);
  });

  it('names every field that the org does not show, through lookups too', async () => {
    const changed = edit({ Lead: ['Email', 'LastNme', 'Owner.Nme', 'Ownr.Name'] }, { User: ['Name'] });
    expect(await mistakesOf(checkFields(changed, new FakeOrg()))).toEqual([
      expect.stringMatching(/^Lead\.yaml:5:3: the integration user cannot see Lead\.LastNme: /),
      expect.stringMatching(/^Lead\.yaml:6:3: the integration user cannot see Lead\.Owner\.Nme: /),
      expect.stringMatching(/^Lead\.yaml:7:3: the integration user cannot see Lead\.Ownr\.Name: /),
    ]);
  });

  it('takes an object that the org does not know for a mistake of its file', async () => {
    const org = new FakeOrg();
    org.describe = () => Promise.reject(new SalesforceQueryError('describe of Leed: no such object', 'NOT_FOUND'));
    expect(await mistakesOf(checkFields(edit({ Leed: ['Email'] }, {}), org))).toEqual([
      'Leed.yaml:1:1: Salesforce refuses it: describe of Leed: no such object',
    ]);
  });

  it('fails as the client does while the org cannot be asked', async () => {
    const org = new FakeOrg();
    org.describe = () => Promise.reject(new SalesforceUnavailableError('describe of Lead: 503'));
    await expect(checkFields(edit({ Lead: ['Email'] }, {}), org)).rejects.toThrow(SalesforceUnavailableError);
  });
});
