import { afterEach, describe, expect, it } from 'vitest';
import { createIterableSandbox, type IterableSandbox, type ProjectType } from './index.js';

let sandbox: IterableSandbox;
let url: string;

async function start(projectType: ProjectType): Promise<void> {
  sandbox = createIterableSandbox({ projectType, limits: { rates: {} } });
  ({ url } = await sandbox.listen());
}

afterEach(() => sandbox.close());

async function call(method: string, path: string, body?: string) {
  const response = await fetch(`${url}/api/${path}`, {
    method,
    headers: { 'Api-Key': 'sandbox' },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const bulk = (users: unknown[]) => call('POST', 'users/bulkUpdate', JSON.stringify({ users }));

describe('switches of types', () => {
  it('takes a whole number with a point for a double, or for the long that it is', async () => {
    await start('email');
    const seed = (name: string, number: string) =>
      call('POST', 'users/bulkUpdate', `{"users":[{"email":"a@example.com","dataFields":{"${name}":${number}}}]}`);
    const types = async () => (await call('GET', 'users/getFields')).body['fields'];
    await seed('ByText', '1000.0');
    sandbox.setSwitches({ numberInference: 'by-value' });
    await seed('ByValue', '1000.0');
    await seed('Fraction', '0.5');
    expect(await types()).toMatchObject({ ByText: 'double', ByValue: 'long', Fraction: 'double' });
    expect((await seed('ByValue', '1000.5')).status).toBe(400);
    expect((await seed('Fraction', '1000.0')).status).toBe(200);
  });

  it('refuses a whole request for one value of a wrong type, and names the field, or the first of them', async () => {
    await start('email');
    await bulk([{ email: 'a@example.com', dataFields: { Size: 7, Rate: 0.5, Address: { Zip: '012' } } }]);
    const users = [
      { email: 'b@example.com', dataFields: { Size: 8 } },
      { email: 'c@example.com', dataFields: { Size: 'eight', Rate: 'x', Address: { Zip: 12 } } },
    ];
    const named = async () => {
      const { status, body } = await bulk(users);
      const { validationErrors } = body['params'] as { validationErrors: Record<string, { expectedType: unknown }> };
      return [status, ...Object.entries(validationErrors).map(([field, { expectedType }]) => [field, expectedType])];
    };
    expect(await named()).toEqual([400, ['Size', 'long'], ['Rate', 'double'], ['Address.Zip', 'string']]);
    expect(sandbox.stats().users).toBe(1);
    sandbox.setSwitches({ expectedTypeForm: 'list' });
    expect(await named()).toEqual([400, ['Size', ['long']], ['Rate', ['double', 'long']], ['Address.Zip', ['string']]]);
    sandbox.setSwitches({ mismatchNames: 'first' });
    expect(await named()).toEqual([400, ['Size', ['long']]]);
    expect(await bulk(users.slice(0, 1))).toMatchObject({ status: 200 });
  });
});

describe('switches of users that are not there', () => {
  it('answer a read with nothing, or with an error of either status', async () => {
    await start('hybrid');
    const read = (userId: string) => call('GET', `users/byUserId?userId=${userId}`);
    await bulk([{ userId: 'u1' }]);
    expect(await read('nobody')).toEqual({ status: 200, body: {} });
    for (const status of [400, 404] as const) {
      sandbox.setSwitches({ unknownUserRead: String(status) });
      expect(await read('nobody')).toMatchObject({ status, body: { code: 'error.users.noUserWithIdExists' } });
      expect(await read('u1')).toMatchObject({ status: 200, body: { user: { userId: 'u1' } } });
      expect(await call('GET', 'users/getByEmail?email=nobody@example.com')).toEqual({ status: 200, body: {} });
    }
  });
});
