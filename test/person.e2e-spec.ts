import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { topics } from '@libs/contracts';
import { startSandbox, type SandboxProcess } from './support/sandbox.js';
import { startStack, type Stack } from './support/stack.js';
import { waitFor } from './support/wait.js';

/** One person, one profile: what people do in Salesforce, through all services on Kafka, and what Iterable then has. */

describe.each(['email', 'hybrid'] as const)('in a project of type %s', (projectType) => {
  let sandbox: SandboxProcess;
  let stack: Stack;

  beforeAll(async () => {
    sandbox = await startSandbox({ ITERABLE_PROJECT_TYPE: projectType });
    const own = { ON_DELETE: 'delete', ITERABLE_PROJECT_TYPE: projectType, ITERABLE_SETTLE_SECONDS: '0.5' };
    stack = await startStack({ brokers: inject('kafkaBrokers'), sandbox, instances: 1, own });
  });
  afterAll(async () => {
    await stack?.stop();
    await sandbox?.stop();
  });

  const email = () => `${randomUUID()}@example.com`;
  const lead = (address: string | null, more: object = {}) =>
    sandbox.createRecord('Lead', { LastName: 'Lead', Company: 'Engines Ltd', Email: address, ...more });
  const contact = (address: string | null, more: object = {}) =>
    sandbox.createRecord('Contact', { LastName: 'Contact', Email: address, ...more });
  const ask = (what: string, body: object) => sandbox.admin('POST', `/salesforce/${what}`, body);
  const idAt = async (address: string) =>
    ((await sandbox.profile(address))?.dataFields['Salesforce'] as { Id?: string } | undefined)?.Id ?? null;
  const has = (address: string, id: string | null) =>
    waitFor(`${address} to be ${id === null ? 'nobody' : 'its owner'}`, async () => (await idAt(address)) === id);

  it('an address changes, and two people swap theirs', async () => {
    const [a, b, c] = [email(), email(), email()];
    const one = await lead(a);
    const two = await lead(b);
    await has(a, one);
    await has(b, two);
    await sandbox.updateRecord('Lead', one, { Email: c });
    await has(c, one);
    await has(a, null);
    await sandbox.updateRecord('Lead', one, { Email: b });
    await sandbox.updateRecord('Lead', two, { Email: c });
    await has(b, one);
    await has(c, two);
  });

  it('a contact has the address that a lead has too, and leaves it to the lead when it goes', async () => {
    const address = email();
    const first = await lead(address);
    await has(address, first);
    const second = await contact(address);
    await has(address, second);
    await ask('records', { kind: 'delete', object: 'Contact', ids: [second] });
    await has(address, first);
    await ask('undelete', { object: 'Contact', ids: [second] });
    await has(address, second);
  });

  it('a lead is converted: the contact goes on with the profile', async () => {
    const address = email();
    const before = await lead(address);
    await has(address, before);
    await ask('convert', { leadId: before });
    await waitFor('the contact', async () => (await idAt(address))?.startsWith('003'));
    const profile = await sandbox.profile(address);
    expect(profile?.dataFields).not.toHaveProperty('Lead');
  });

  it('a merge keeps the winner, and takes the profile of the loser away', async () => {
    const [kept, lost] = [email(), email()];
    const [winner, loser] = [await contact(kept), await contact(lost)];
    await has(kept, winner);
    await has(lost, loser);
    await ask('merge', { object: 'Contact', winner, losers: [loser] });
    await has(lost, null);
    await has(kept, winner);
    const reasons = (await stack.readAll(topics.outcomes)).filter(({ recordId }) => recordId === loser);
    expect(reasons.at(-1)?.kind).toBe('written');
  });

  it('a deleted record takes its profile along, and an undeleted one brings it back', async () => {
    const address = email();
    const id = await lead(address);
    await has(address, id);
    await ask('records', { kind: 'delete', object: 'Lead', ids: [id] });
    await has(address, null);
    await ask('undelete', { object: 'Lead', ids: [id] });
    await has(address, id);
  });

  it('a no in Salesforce is a no in Iterable, and no yes takes it back', async () => {
    const address = email();
    const id = await lead(address);
    await has(address, id);
    await sandbox.updateRecord('Lead', id, { HasOptedOutOfEmail: true });
    const channels = async () => (await sandbox.profile(address))?.dataFields['unsubscribedChannelIds'];
    await waitFor('the opt-out', async () => ((await channels()) as number[] | undefined)?.length);
    const said = await channels();
    await sandbox.updateRecord('Lead', id, { HasOptedOutOfEmail: false, LastName: 'Changed' });
    await waitFor(
      'the last state',
      async () => ((await sandbox.profile(address))?.dataFields['Name'] as { Last?: string })?.Last === 'Changed',
    );
    expect(await channels()).toEqual(said);
  });

  it('nobody is lost on the way', async () => {
    await waitFor('an outcome for every change', async () => {
      const fates = new Set((await stack.readAll(topics.outcomes)).flatMap(({ offsets }) => offsets));
      const next = (await stack.log.offsets(topics.changes)).reduce((sum, { next: end }) => sum + end, 0);
      return fates.size === next;
    });
    expect(await stack.readAll(topics.deadLetters)).toEqual([]);
  });
});
