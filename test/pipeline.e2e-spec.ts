import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { allTopics, topics, type Status, type Topic } from '@libs/contracts';
import { startSandbox, type SandboxProcess } from './support/sandbox.js';
import { startStack, type Stack } from './support/stack.js';
import { waitFor } from './support/wait.js';
import { rawProducer } from './support/raw-producer.js';

let sandbox: SandboxProcess;
let stack: Stack;

interface LoggedRequest {
  readonly endpoint: string;
  readonly status: number;
  readonly users: number;
}

beforeAll(async () => {
  sandbox = await startSandbox();
  stack = await startStack({ brokers: inject('kafkaBrokers'), sandbox, instances: 1 });
});
afterAll(async () => {
  await stack?.stop();
  await sandbox?.stop();
});

const email = () => `${randomUUID()}@example.com`;

async function command(type: string, data: Record<string, unknown>, id: string = randomUUID()): Promise<string> {
  await stack.log.append([{ topic: topics.commands, key: 'backfill', value: { id, type, data, by: 'test' } }]);
  return id;
}

async function answer(id: string, types: Array<Status['type']>, deadlineMs = 60_000): Promise<Status> {
  return waitFor(
    `${types.join(' or ')} of ${id}`,
    async () => (await stack.readAll(topics.status)).find((status) => status.id === id && types.includes(status.type)),
    deadlineMs,
    250,
  );
}

async function bulkRequests(address: string): Promise<LoggedRequest[]> {
  const { requests } = await sandbox.admin<{ requests: LoggedRequest[] }>(
    'GET',
    `/iterable/requests?email=${encodeURIComponent(address)}`,
  );
  return requests.filter((request) => request.endpoint.includes('bulkUpdate'));
}

describe('the pipeline on Kafka, one process a service', () => {
  it('carries a new Lead to its Iterable profile, mapped', async () => {
    const address = email();
    const id = await sandbox.createRecord('Lead', {
      FirstName: 'Ada',
      LastName: 'Byron',
      Company: 'Engines Ltd',
      Email: address,
      LeadSource: 'Web',
    });
    const profile = await waitFor('the profile', () => sandbox.profile(address));
    expect(profile.dataFields).toMatchObject({
      Name: { First: 'Ada', Last: 'Byron' },
      Company: { Name: 'Engines Ltd' },
      Lead: { Source: 'Web' },
      Salesforce: { Id: id },
    });
  });

  it('makes five updates of one window one entry of one bulk request, and the last one wins', async () => {
    const address = email();
    const id = await sandbox.createRecord('Lead', { LastName: 'Five', Company: 'Once', Email: address });
    await waitFor('the profile', () => sandbox.profile(address));
    const before = (await bulkRequests(address)).length;
    // All five in one window of a second: begin just after the clock's full second.
    await waitFor('the start of a window', () => Date.now() % 1_000 < 100, 5_000, 10);
    for (const company of ['A', 'B', 'C', 'D', 'Last']) await sandbox.updateRecord('Lead', id, { Company: company });
    await waitFor(
      'the last state',
      async () =>
        ((await sandbox.profile(address))?.dataFields['Company'] as { Name: string } | undefined)?.Name === 'Last',
    );
    const written = (await stack.readAll(topics.outcomes)).filter(
      (outcome) => outcome.recordId === id && outcome.kind === 'written',
    );
    expect(written.at(-1)?.offsets).toHaveLength(5);
    expect((await bulkRequests(address)).length - before).toBe(1);
  });

  it('backfills by command and says what became of every record', async () => {
    const company = `Backfill ${randomUUID()}`;
    for (let n = 0; n < 5; n += 1)
      await sandbox.createRecord('Lead', { LastName: `L${n}`, Company: company, Email: email() });
    await sandbox.createRecord('Lead', { LastName: 'No email', Company: company });
    const id = await command('backfill.start', { object: 'Lead', where: `Company = '${company}'` });
    const completed = await answer(id, ['completed', 'failed', 'rejected']);
    expect(completed).toMatchObject({
      type: 'completed',
      data: {
        queried: 6,
        enqueued: 6,
        written: 5,
        skipped: 1,
        dead: 0,
        reasons: { 'mapping.no_email': 1 },
        summary: 'completed, 5 written, 1 skipped, 0 dead',
      },
    });
  });

  it('does the work of one command id once, and completes a job of no rows with zero', async () => {
    const id = await command('backfill.start', { object: 'Lead', where: "Company = 'nobody has this'" });
    await command('backfill.start', { object: 'Lead', where: "Company = 'nobody has this'" }, id);
    expect((await answer(id, ['completed'])).data).toMatchObject({ queried: 0, written: 0, skipped: 0, dead: 0 });
    await waitFor(
      'both answers',
      async () =>
        (await stack.readAll(topics.status)).filter((status) => status.id === id && status.type === 'accepted')
          .length === 2,
    );
    const all = (await stack.readAll(topics.status)).filter((status) => status.id === id);
    expect(all.filter((status) => status.type === 'completed')).toHaveLength(1);
    expect(all.filter((status) => status.data['duplicate'] === true)).toHaveLength(1);
  });

  it('backfills a list of ids of mixed types, told apart by their prefix', async () => {
    const [lead, contact] = [email(), email()];
    const ids = [
      await sandbox.createRecord('Lead', { LastName: 'Mixed', Company: 'X', Email: lead }),
      await sandbox.createRecord('Contact', { LastName: 'Mixed', Email: contact }),
    ];
    const id = await command('backfill.start', { ids });
    expect((await answer(id, ['completed', 'failed', 'rejected'])).data).toMatchObject({ queried: 2, written: 2 });
    expect(await sandbox.profile(contact)).not.toBeNull();
  });

  it.each([
    ['an unknown command', 'backfill.begin', { object: 'Lead' }, 'unknown command type "backfill.begin"'],
    ['an unmapped object', 'backfill.start', { object: 'Opportunity' }, 'Opportunity has no mapping file'],
    ['a condition that is no condition', 'backfill.start', { object: 'Lead', where: "Company = 'x' LIMIT 1" }, ''],
    ['an unbalanced condition', 'backfill.start', { object: 'Lead', where: "Company = 'x" }, ''],
    ['an unknown field', 'backfill.start', { object: 'Lead', where: 'Nope__c = null' }, 'Nope__c'],
    ['a wrong id', 'backfill.start', { ids: ['00Q'] }, 'not an 18-character Salesforce record id'],
  ])('refuses %s with its reason', async (_what, type, data, reason) => {
    const refused = await answer(await command(type, data), ['rejected', 'accepted', 'completed']);
    expect(refused.type).toBe('rejected');
    expect(String(refused.data['reason'])).toContain(reason);
    expect(String(refused.data['reason']).length).toBeGreaterThan(10);
  });

  const consumed: ReadonlyArray<Topic> = allTopics.filter(({ name }) => /changes|batches|updates|commands/.test(name));
  it.each(consumed.map((topic) => [topic.name, topic] as const))(
    'dead-letters what is unreadable on %s, and the next one flows',
    async (name) => {
      const producer = await rawProducer(inject('kafkaBrokers'));
      const marker = randomUUID();
      const partition = 0;
      for (const value of ['not json', '{"half":', JSON.stringify({ marker })])
        await producer.send(`${stack.settings['KAFKA_TOPIC_PREFIX']}${name}`, partition, marker, value);
      await producer.close();
      const letters = await waitFor('three dead letters', async () => {
        const found = (await stack.readAll(topics.deadLetters)).filter(({ origin }) => origin?.topic === name);
        return found.length >= 3 ? found : null;
      });
      expect(letters.map(({ stage, code }) => `${stage} ${code}`)).toEqual(
        Array.from({ length: letters.length }, () => 'decode event-log.malformed_message'),
      );
      expect(JSON.stringify(letters)).not.toContain(marker);
      const address = email();
      await sandbox.createRecord('Lead', { LastName: 'After', Company: 'Next', Email: address });
      await waitFor('the next one', () => sandbox.profile(address));
    },
  );

  it('accounts for every change: each has exactly one fate', async () => {
    const total = await waitFor('an outcome for every change', async () => {
      const outcomes = await stack.readAll(topics.outcomes);
      const fates = new Set(outcomes.flatMap(({ offsets }) => offsets));
      const next = (await stack.log.offsets(topics.changes)).reduce((sum, { next: end }) => sum + end, 0);
      return next > 0 && fates.size === next && next;
    });
    expect(total).toBeGreaterThan(20);
  });

  it('shows the metrics and the health of every service', async () => {
    for (const service of stack.running) {
      const text = await (await fetch(`${service.url}/metrics`)).text();
      expect(text).toContain(`sync_ready{app="${service.app}"} 1`);
      expect(await (await fetch(`${service.url}/health/ready`)).json()).toMatchObject({
        app: service.app,
        status: 'ok',
      });
    }
    const writer = stack.of('iterable-writer')[0];
    expect(await (await fetch(`${writer?.url}/metrics`)).text()).toMatch(
      /sync_end_to_end_latency_seconds_count\{object="Lead",lane="realtime"\} [1-9]/,
    );
  });
});
