import { loadSettings, readTextFiles, salesforceSettings } from '@libs/config';
import { mappingFileExtensions } from '@libs/mapping';
import { toRecordId, type UserUpdate } from '@libs/contracts';
import { createMetrics } from '@libs/observability';
import { createSalesforceClient } from '@libs/salesforce';
import { readMappingSet } from '@libs/service';
import { z } from 'zod';
import { CompiledMappings } from '../../../apps/mapper/src/compiled-mappings.js';
import { fetchRows } from '../../../apps/mapper/src/fetch-rows.js';
import { toMessage } from '../../../apps/mapper/src/core/to-message.js';
import type { SandboxProcess } from '../../support/sandbox.js';

/**
 * The updates that the mapper makes of the org's Leads by the shipped mapping: those that are plain, of people who did not opt
 * out. An opt-out is a call of its own, which the limit of bulk updates is not about.
 */
export async function leadUpdates(sandbox: Pick<SandboxProcess, 'settings' | 'query'>): Promise<UserUpdate[]> {
  const settings = loadSettings('bench', z.object(salesforceSettings.shape), sandbox.settings);
  const salesforce = createSalesforceClient(settings, { metrics: createMetrics() });
  const mappings = readMappingSet(readTextFiles('mappings', mappingFileExtensions), 'mappings');
  const compiled = await new CompiledMappings(mappings, salesforce).of('Lead');
  if (compiled === null) throw new Error('there is no mapping for Lead');
  const ids = (await sandbox.query('SELECT Id FROM Lead')).map((row) => String(row['Id']));
  const rows = await fetchRows(salesforce, compiled, ids, new AbortController().signal);
  const targets = (mappings.get('Lead')?.fields ?? []).map(({ target }) => target);
  const updates: UserUpdate[] = [];
  for (const [recordId, fetched] of rows) {
    const [changeType, at] = ['SNAPSHOT', fetched.fetchedAtMs] as const;
    const times = { oldestCommitTimestamp: at, newestCommitTimestamp: at };
    const entry = { recordId, changeType, offsets: ['0:0'], jobIds: ['bench'], ...times };
    const mapped = await compiled.apply(fetched.row);
    const rules = {
      compiled,
      projectType: 'email',
      targets,
      mapsContacts: true,
      fetchedAtMs: fetched.fetchedAtMs,
    } as const;
    const verdict = toMessage({ recordType: 'Lead', entry, fetched, mapped }, rules);
    if (verdict.kind !== 'message' || verdict.message.kind !== 'update') continue;
    if (verdict.message.optOut === undefined) updates.push(verdict.message);
  }
  if (updates.length === 0) throw new Error('no Lead of the org makes an update');
  return updates;
}

/** The update of the n-th of as many Leads as wanted, each with an id and an address of its own, the rest from `models`. */
export function updateOf(models: readonly UserUpdate[], n: number, fetchedAtMs: number): UserUpdate {
  const model = models[n % models.length];
  const recordId = toRecordId(`00Q5g0${n.toString(36).padStart(9, '0')}`);
  if (model === undefined || recordId === null) throw new RangeError(`no update for ${n}`);
  const salesforce = model.dataFields['Salesforce'] as Readonly<Record<string, unknown>> | undefined;
  return {
    ...model,
    recordId,
    offsets: [`0:${n}`],
    email: `person.number${n}@example-company.com`,
    commitTimestamp: fetchedAtMs,
    version: { ...model.version, fetchedAtMs },
    dataFields: { ...model.dataFields, Salesforce: { ...salesforce, Id: recordId } },
  };
}
