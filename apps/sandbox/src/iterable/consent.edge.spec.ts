import { afterEach, describe, expect, it } from 'vitest';
import { SandboxClock } from '../clock.js';
import { createIterableSandbox, type IterableSandbox, type IterableSandboxOptions, type ProjectType } from './index.js';

let sandbox: IterableSandbox;
let url: string;

async function start(projectType: ProjectType, options: IterableSandboxOptions = {}): Promise<void> {
  sandbox = createIterableSandbox({ projectType, limits: { rates: {} }, ...options });
  ({ url } = await sandbox.listen());
}

afterEach(() => sandbox.close());

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(`${url}/api/${path}`, {
    method,
    headers: { 'Api-Key': 'sandbox' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed = (await response.json()) as Record<string, unknown>;
  return { status: response.status, code: parsed['code'], body: parsed };
}

const enabled = { switches: { groupSubscriptions: 'enabled' } } as const;
const ok = { status: 200, code: 'Success' };
const create = (...users: object[]) => call('POST', 'users/bulkUpdate', { users });
const fieldsOf = (by: Parameters<IterableSandbox['user']>[0]) => sandbox.user(by)?.['dataFields'];
const unsubscribe = (path: string, body: object) => call('PUT', `subscriptions/${path}?action=unsubscribe`, body);

describe('groups of subscriptions', () => {
  it('are listed: channels with their type and medium, and message types', async () => {
    await start('email');
    const { channels } = (await call('GET', 'channels')).body as { channels: unknown[] };
    expect(channels).toContainEqual({
      id: 101,
      name: 'Marketing Channel',
      channelType: 'Marketing',
      messageMedium: 'Email',
    });
    expect((await call('GET', 'messageTypes')).body).toMatchObject({
      messageTypes: expect.arrayContaining([expect.objectContaining({ id: 201, channelId: 101, name: 'Newsletter' })]),
    });
    sandbox.setChannels({ channels: [], messageTypes: [] });
    expect((await call('GET', 'channels')).body).toEqual({ channels: [] });
  });

  it('cannot be changed in a project that does not have the call enabled', async () => {
    await start('email');
    await create({ email: 'a@example.com' });
    const body = { users: ['a@example.com'] };
    expect(await unsubscribe('messageChannel/101', body)).toMatchObject({ status: 404, code: 'NotFound' });
    sandbox.setSwitches({ groupSubscriptions: 'forbidden' });
    expect(await unsubscribe('messageChannel/101', body)).toMatchObject({ status: 403, code: 'Forbidden' });
    expect(fieldsOf({ email: 'a@example.com' })).not.toHaveProperty('unsubscribedChannelIds');
  });

  it('change like a set, in any case, for emails and user ids in one request, and leave all else', async () => {
    await start('hybrid', enabled);
    await create({ email: 'a@example.com' }, { userId: 'u1', dataFields: { Score: 1, unsubscribedChannelIds: [7] } });
    const body = { users: ['A@Example.com', 'nobody@example.com'], usersByUserId: ['u1'] };
    for (let time = 0; time < 2; time += 1) expect(await unsubscribe('MESSAGECHANNEL/101', body)).toMatchObject(ok);
    expect(await unsubscribe('messageType/201', { usersByUserId: ['u1'] })).toMatchObject(ok);
    expect(fieldsOf({ email: 'a@example.com' })).toMatchObject({ unsubscribedChannelIds: [101] });
    expect(fieldsOf({ userId: 'u1' })).toMatchObject({
      Score: 1,
      unsubscribedChannelIds: [7, 101],
      unsubscribedMessageTypeIds: [201],
    });
    expect(await call('PUT', 'subscriptions/messageChannel/101?action=subscribe', body)).toMatchObject(ok);
    expect(fieldsOf({ userId: 'u1' })).toMatchObject({ unsubscribedChannelIds: [7] });
    expect(sandbox.requests({ userId: 'u1', endpoint: 'subscriptions/{group}/{id}' })).toHaveLength(4);
    expect(sandbox.stats().users).toBe(2);
  });

  it('are subscribed to when no action is given: that is the documented default', async () => {
    await start('email', enabled);
    await create({ email: 'a@example.com', dataFields: { unsubscribedChannelIds: [101] } });
    expect(await call('PUT', 'subscriptions/messageChannel/101', { users: ['a@example.com'] })).toMatchObject(ok);
    expect(fieldsOf({ email: 'a@example.com' })).toMatchObject({ unsubscribedChannelIds: [] });
  });

  it('keep lists of people under the name of the project type', async () => {
    await start('user-id', enabled);
    await create({ userId: 'u1', dataFields: { userListIds: [1, 2] } });
    await unsubscribe('emailList/1', { usersByUserId: ['u1'] });
    expect(fieldsOf({ userId: 'u1' })).toMatchObject({ userListIds: [2] });
    await call('PUT', 'subscriptions/emailList/9?action=subscribe', { usersByUserId: ['u1'] });
    expect(fieldsOf({ userId: 'u1' })).toMatchObject({ userListIds: [2, 9] });
  });

  it.each<[string, string, object, object]>([
    ['an unknown channel', 'messageChannel/9', { users: ['a@example.com'] }, { status: 400, code: 'BadParams' }],
    ['no number', 'messageChannel/x', { users: ['a@example.com'] }, { status: 400, code: 'BadParams' }],
    ['an unknown group', 'nothing/101', { users: ['a@example.com'] }, { status: 400, code: 'BadParams' }],
    ['nobody', 'messageChannel/101', {}, { status: 400, code: 'BadParams' }],
    ['a bad email', 'messageChannel/101', { users: ['nonsense'] }, { status: 400, code: 'InvalidEmailAddressError' }],
    ['a bad id', 'messageChannel/101', { usersByUserId: ['x '] }, { status: 400, code: 'InvalidUserIdError' }],
    ['a wrong type', 'messageChannel/101', { users: [1] }, { status: 400, code: 'BadJsonBody' }],
  ])('refuse %s', async (_, path, body, expected) => {
    await start('email', enabled);
    expect(await unsubscribe(path, body)).toMatchObject(expected);
  });

  it('answer as their switches say', async () => {
    await start('email', enabled);
    sandbox.setSwitches({ groupSubscriptionsAccepted: true, unknownSubscription: '404' });
    await create({ email: 'a@example.com' });
    expect(await unsubscribe('messageChannel/101', { users: ['a@example.com'] })).toMatchObject({ status: 202 });
    expect(await unsubscribe('messageChannel/9', { users: ['a@example.com'] })).toMatchObject({ status: 404 });
    sandbox.setSwitches({ unknownSubscribers: 'refused' });
    const both = { users: ['a@example.com', 'nobody@example.com'] };
    expect(await unsubscribe('messageChannel/103', both)).toMatchObject({ code: 'UnknownEmailError' });
    expect(fieldsOf({ email: 'a@example.com' })).toMatchObject({ unsubscribedChannelIds: [101] });
    await call('POST', 'users/forget', { email: 'a@example.com' });
    expect(await unsubscribe('messageChannel/103', { users: ['a@example.com'] })).toMatchObject({ status: 409 });
  });
});

describe('what moves with a profile', () => {
  it('merge unites what both said no to, or keeps what the destination said, as switched', async () => {
    await start('hybrid');
    const lead = {
      userId: '00Q',
      email: 'a@example.com',
      dataFields: { unsubscribedChannelIds: [101], A: 'lead', B: 1 },
    };
    const contact = { userId: '003', dataFields: { unsubscribedChannelIds: [7], A: 'contact' } };
    await create(lead, contact);
    await call('POST', 'users/merge', { sourceUserId: '00Q', destinationUserId: '003' });
    expect(sandbox.user({ userId: '00Q' })).toBeNull();
    expect(sandbox.user({ email: 'a@example.com' })).toMatchObject({
      userId: '003',
      dataFields: { A: 'contact', B: 1, unsubscribedChannelIds: [7, 101] },
    });
    sandbox.setSwitches({ mergedSubscriptions: 'destination' });
    await create({ userId: '00Q', dataFields: { unsubscribedChannelIds: [1], unsubscribedMessageTypeIds: [201] } });
    await call('POST', 'users/merge', { sourceUserId: '00Q', destinationUserId: '003' });
    expect(fieldsOf({ userId: '003' })).toMatchObject({ unsubscribedChannelIds: [7, 101] });
    expect(fieldsOf({ userId: '003' })).not.toHaveProperty('unsubscribedMessageTypeIds');
  });

  it.each(['user-id', 'hybrid'] as const)('%s: an address is given up with null', async (projectType) => {
    await start(projectType);
    await create({ userId: 'u1', dataFields: { email: 'a@example.com', A: 1 } });
    const reply = await create({ userId: 'u1', dataFields: { email: null } });
    expect(reply.body).toMatchObject({ successCount: 1 });
    expect(sandbox.user({ userId: 'u1' })).not.toHaveProperty('email');
    expect(fieldsOf({ userId: 'u1' })).toMatchObject({ A: 1 });
    expect((await create({ userId: 'u2', dataFields: { email: 'a@example.com' } })).body).toMatchObject({
      successCount: 1,
    });
  });

  it('hybrid: an address that another profile has is a conflict, until that one gives it up', async () => {
    await start('hybrid');
    await create({ userId: 'u1', dataFields: { email: 'a@example.com' } });
    const take = () => create({ userId: 'u2', dataFields: { email: 'A@example.com' } });
    expect((await take()).body).toMatchObject({ failCount: 1, failedUpdates: { conflictEmails: ['a@example.com'] } });
    await create({ userId: 'u1', dataFields: { email: null } });
    expect((await take()).body).toMatchObject({ successCount: 1 });
    expect(sandbox.user({ email: 'a@example.com' })).toMatchObject({ userId: 'u2' });
  });
});

describe('forgetting', () => {
  it('takes its own time, and what is written in between is lost with it', async () => {
    const clock = new SandboxClock();
    await start('email', { clock, switches: { visibilityDelayForgetMs: 600_000 } });
    const email = 'a@example.com';
    await create({ email, dataFields: { A: 1 } });
    await call('POST', 'users/forget', { email });
    expect((await create({ email, dataFields: { A: 2 } })).body).toMatchObject({ successCount: 1 });
    expect(fieldsOf({ email })).toMatchObject({ A: 2 });
    clock.advance(600);
    expect(sandbox.user({ email })).toBeNull();
    expect((await create({ email })).body).toMatchObject({ failedUpdates: { forgottenEmails: [email] } });
  });

  it('ends for the day after its cap, until the first of them is a day ago', async () => {
    const clock = new SandboxClock();
    await start('user-id', { clock, limits: { rates: {}, forgetsPerDay: 2 } });
    const forget = (userId: string) => call('POST', 'users/forget', { userId });
    expect(await forget('u1')).toMatchObject(ok);
    clock.advance(3_600);
    expect(await forget('u2')).toMatchObject(ok);
    const refused = await forget('u3');
    expect(refused).toMatchObject({ status: 429, code: 'RateLimitExceeded' });
    const { rateLimitReset } = refused.body['params'] as { rateLimitReset: number };
    expect(rateLimitReset).toBeGreaterThan(82_000);
    expect(await call('POST', 'users/unforget', { userId: 'u1' })).toMatchObject(ok);
    clock.advance(rateLimitReset);
    expect(await forget('u3')).toMatchObject(ok);
  });
});
