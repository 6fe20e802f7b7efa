import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { API, openTestOrg, type TestOrg } from '../testing/test-org.js';

let org: TestOrg;
beforeEach(async () => {
  org = await openTestOrg();
});
afterEach(async () => {
  await org.close();
});

const lead = { LastName: 'Kim', Company: 'Acme' };
const create = async (object: string, input: unknown) =>
  ((await org.call('POST', `/sobjects/${object}`, input)).body as { id: string }).id;
const error = (status: number, errorCode: string, message: unknown = expect.any(String)) => ({
  status,
  body: [expect.objectContaining({ errorCode, message })],
});

describe('versions', () => {
  it('are listed without a session', async () => {
    const response = await fetch(`${org.url}/services/data/`);
    const list = (await response.json()) as unknown[];
    expect(list).toHaveLength(38);
    expect(list).toContainEqual({ label: "Spring '26", url: '/services/data/v66.0', version: '66.0' });
    expect(list.at(-1)).toEqual({ label: "Winter '27", url: '/services/data/v68.0', version: '68.0' });
  });

  it.each([
    ['/services/data/v31.0/limits', 200],
    ['/services/data/v68.0', 200],
    ['/services/data/v30.0/limits', 410],
    ['/services/data/v69.0/limits', 404],
    ['/services/data/limits', 404],
  ])('%s: %i', async (path, status) => {
    expect((await org.call('GET', path)).status).toBe(status);
  });
});

describe('records', () => {
  it('are created, retrieved, updated and deleted', async () => {
    const created = await org.call('POST', '/sobjects/Lead', { ...lead, Email: 'kim@example.com' });
    expect(created).toMatchObject({ status: 201, body: { success: true, errors: [] } });
    const { id } = created.body as { id: string };
    expect(created.headers.get('location')).toBe(`${API}/sobjects/Lead/${id}`);
    expect(id).toMatch(/^00Q\w{15}$/);

    expect((await org.call('PATCH', `/sobjects/Lead/${id}`, { FirstName: 'Ann' })).status).toBe(204);
    const { status, body } = await org.call('GET', `/sobjects/Lead/${id}?fields=Name,Email,OwnerId,Status`);
    expect(status).toBe(200);
    expect(body).toEqual({
      attributes: { type: 'Lead', url: `${API}/sobjects/Lead/${id}` },
      Id: id,
      Name: 'Ann Kim',
      Email: 'kim@example.com',
      OwnerId: expect.stringMatching(/^005/),
      Status: 'Open - Not Contacted',
    });
    expect((await org.call('GET', `/sobjects/Lead/${id.slice(0, 15)}`)).body).toMatchObject({
      Id: id,
      IsConverted: false,
    });

    expect((await org.call('DELETE', `/sobjects/Lead/${id}`)).status).toBe(204);
    expect(await org.call('GET', `/sobjects/Lead/${id}`)).toMatchObject(error(404, 'ENTITY_IS_DELETED'));
    expect(await org.call('PATCH', `/sobjects/Lead/${id}`, {})).toMatchObject(error(404, 'ENTITY_IS_DELETED'));
    expect(await org.call('DELETE', `/sobjects/Lead/${id}`)).toMatchObject(error(404, 'ENTITY_IS_DELETED'));
    const all = await org.call('GET', `/queryAll?q=${encodeURIComponent('SELECT Id, IsDeleted FROM Lead')}`);
    expect(all.body).toMatchObject({ totalSize: 1, records: [{ Id: id, IsDeleted: true }] });
  });

  it('carry whole-second stamps of the sandbox clock that every write moves', async () => {
    const id = await create('Lead', lead);
    const read = async () => (await org.query('SELECT CreatedDate, SystemModstamp FROM Lead')).records[0] ?? {};
    const before = await read();
    expect(before['SystemModstamp']).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.000\+0000$/);
    org.clock.advance(3_600);
    await org.call('PATCH', `/sobjects/Lead/${id}`, { Title: 'CEO' });
    const after = await read();
    expect(after['CreatedDate']).toBe(before['CreatedDate']);
    const parse = (text: unknown) => Date.parse(String(text).replace('+0000', 'Z'));
    expect(parse(after['SystemModstamp']) - parse(before['SystemModstamp'])).toBeGreaterThanOrEqual(3_600_000);
  });

  it.each([
    ['an object that is not there', 'POST', '/sobjects/Foo', lead, 404, 'NOT_FOUND'],
    ['a missing field', 'POST', '/sobjects/Lead', {}, 400, 'REQUIRED_FIELD_MISSING'],
    ['an unknown field', 'POST', '/sobjects/Lead', { ...lead, Foo: 1 }, 400, 'INVALID_FIELD'],
    ['a bad email', 'POST', '/sobjects/Lead', { ...lead, Email: 'x' }, 400, 'INVALID_EMAIL_ADDRESS'],
    [
      'an owner of a wrong kind',
      'POST',
      '/sobjects/Lead',
      { ...lead, OwnerId: '0015f00002JUX1JAAX' },
      400,
      'MALFORMED_ID',
    ],
    [
      'an owner that is not there',
      'POST',
      '/sobjects/Lead',
      { ...lead, OwnerId: '0055f000005mc66AAA' },
      400,
      'INVALID_CROSS_REFERENCE_KEY',
    ],
    ['a list for a record', 'POST', '/sobjects/Lead', [], 400, 'JSON_PARSER_ERROR'],
    ['an unknown id', 'PATCH', '/sobjects/Lead/00Q5f000005bwLFEAY', {}, 404, 'NOT_FOUND'],
    ['an id of another object', 'PATCH', '/sobjects/Lead/0015f00002JUX1JAAX', {}, 400, 'MALFORMED_ID'],
    ['a malformed id', 'GET', '/sobjects/Lead/00Q123', undefined, 400, 'MALFORMED_ID'],
    ['an unknown path', 'GET', '/foo', undefined, 404, 'NOT_FOUND'],
    ['a wrong method', 'DELETE', '/query', undefined, 405, 'METHOD_NOT_ALLOWED'],
    [
      'a retrieve of an unknown field',
      'GET',
      '/sobjects/Lead/00Q5f000005bwLFEAY?fields=Foo',
      undefined,
      400,
      'INVALID_FIELD',
    ],
    ['no query', 'GET', '/query', undefined, 400, 'MALFORMED_QUERY'],
    [
      'a queue that is written',
      'POST',
      '/sobjects/Group',
      { Name: 'Q', Type: 'Queue' },
      400,
      'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
    ],
  ])('refuse %s', async (_what, method, path, body, status, code) => {
    expect(await org.call(method, path, body)).toMatchObject(error(status, code));
  });

  it('refuse a body that is not JSON', async () => {
    const token = await org.token();
    const post = (type: string, body: string) =>
      fetch(`${org.url}${API}/sobjects/Lead`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        body,
      });
    expect((await post('text/plain', 'x')).status).toBe(415);
    const bad = await post('application/json', '{');
    expect([bad.status, await bad.json()]).toMatchObject([400, [{ errorCode: 'JSON_PARSER_ERROR' }]]);
  });

  it('take their children along when they are deleted and restored', async () => {
    const account = await create('Account', { Name: 'Acme' });
    const contact = await create('Contact', { LastName: 'Kim', AccountId: account });
    expect((await org.call('DELETE', `/sobjects/Account/${account}`)).status).toBe(204);
    expect((await org.query('SELECT COUNT() FROM Contact')).totalSize).toBe(0);
    org.sandbox.records.undelete('Account', [account]);
    expect((await org.query('SELECT Id FROM Contact')).records).toMatchObject([{ Id: contact }]);
  });
});

describe('collections', () => {
  const attributes = { type: 'Lead' };

  it('write up to 200 records, each with its own verdict', async () => {
    const { status, body } = await org.call('POST', '/composite/sobjects', {
      records: [
        { attributes, ...lead },
        { attributes, LastName: 'X' },
      ],
    });
    expect(status).toBe(200);
    expect(body).toEqual([
      { id: expect.stringMatching(/^00Q/), success: true, errors: [] },
      {
        success: false,
        errors: [
          {
            statusCode: 'REQUIRED_FIELD_MISSING',
            message: 'Required fields are missing: [Company]',
            fields: ['Company'],
          },
        ],
      },
    ]);
    const [{ id = '' } = {}] = body as Array<{ id?: string }>;
    const updated = await org.call('PATCH', '/composite/sobjects', { records: [{ attributes, id, Title: 'CEO' }] });
    expect(updated.body).toEqual([{ id, success: true, errors: [] }]);
    expect((await org.query('SELECT Title FROM Lead')).records).toMatchObject([{ Title: 'CEO' }]);
    expect((await org.call('DELETE', `/composite/sobjects?ids=${id}`)).body).toEqual([
      { id, success: true, errors: [] },
    ]);
    expect((await org.query('SELECT COUNT() FROM Lead')).totalSize).toBe(0);
  });

  it('undo everything when all or none is asked for', async () => {
    const { body } = await org.call('POST', '/composite/sobjects', {
      allOrNone: true,
      records: [
        { attributes, ...lead },
        { attributes, LastName: 'X' },
      ],
    });
    expect(body).toMatchObject([
      { success: false, errors: [{ statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK' }] },
      { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING' }] },
    ]);
    expect((await org.query('SELECT COUNT() FROM Lead')).totalSize).toBe(0);
    expect(org.sandbox.stats().events.appended).toBe(0);
  });

  it('refuse more than 200', async () => {
    const records = Array.from({ length: 201 }, () => ({ attributes, ...lead }));
    expect(await org.call('POST', '/composite/sobjects', { records })).toMatchObject(error(400, 'EXCEEDED_ID_LIMIT'));
  });

  it('retrieve in the order asked, with null for what is missing', async () => {
    const [a, b] = org.sandbox.records.create('Lead', [lead, { ...lead, LastName: 'Lee' }]);
    const ids = [b, '00Q5f000005bwLFEAY', a];
    const expected = [{ LastName: 'Lee', Id: b }, null, { LastName: 'Kim', Id: a }];
    const posted = await org.call('POST', '/composite/sobjects/Lead', { ids, fields: ['LastName'] });
    expect(posted.body).toMatchObject(expected);
    const got = await org.call('GET', `/composite/sobjects/Lead?ids=${ids.join(',')}&fields=LastName`);
    expect(got.body).toMatchObject(expected);
    const unknown = await org.call('POST', '/composite/sobjects/Lead', { ids, fields: ['Account.Name'] });
    expect(unknown).toMatchObject(error(400, 'INVALID_FIELD'));
  });
});

describe('queries', () => {
  it('page by nextRecordsUrl, 2,000 at most or as asked', async () => {
    await org.sandbox.seed({ leads: 2_500 });
    const url = `/query?q=${encodeURIComponent('SELECT Id FROM Lead')}`;
    const first = (await org.call('GET', url)).body as { records: unknown[]; nextRecordsUrl: string };
    expect(first).toMatchObject({ totalSize: 2_500, done: false });
    expect(first.records).toHaveLength(2_000);
    expect(first.nextRecordsUrl).toMatch(/^\/services\/data\/v67\.0\/query\/01g\w{15}-2000$/);
    const second = (await org.call('GET', first.nextRecordsUrl)).body as { records: unknown[] };
    expect(second).toMatchObject({ totalSize: 2_500, done: true });
    expect(second).not.toHaveProperty('nextRecordsUrl');
    expect(second.records).toHaveLength(500);
    const small = await org.call('GET', url, undefined, { 'sforce-query-options': 'batchSize=300' });
    expect((small.body as { records: unknown[] }).records).toHaveLength(300);
  });

  it('take 500 ids in a URI and no more than 16 KiB', async () => {
    const inList = (count: number) => {
      const ids = Array.from({ length: count }, () => "'00Q5f000005bwLFEAY'").join(',');
      return org.call('GET', `/query?q=${encodeURIComponent(`SELECT Id FROM Lead WHERE Id IN (${ids})`)}`);
    };
    expect((await inList(500)).status).toBe(200);
    expect((await inList(650)).status).toBe(414);
    expect((await org.call('GET', '/limits', undefined, { 'x-long': 'x'.repeat(16_384) })).status).toBe(431);
  });

  it('answer the error body of an unknown field', async () => {
    expect(await org.call('GET', `/query?q=${encodeURIComponent('SELECT Foo__c FROM Lead')}`)).toMatchObject(
      error(400, 'INVALID_FIELD', expect.stringContaining("No such column 'Foo__c' on entity 'Lead'.")),
    );
  });
});

describe('metadata and limits', () => {
  it('are told, and 304 when nothing changed since', async () => {
    const first = await org.call('GET', '/sobjects/Lead/describe');
    expect(first).toMatchObject({ status: 200, body: { name: 'Lead' } });
    const since = { 'if-modified-since': first.headers.get('last-modified') ?? '' };
    expect((await org.call('GET', '/sobjects/Lead/describe', undefined, since)).status).toBe(304);
    org.clock.advance(60);
    org.sandbox.setFieldVisible('Lead', 'Email', false);
    expect((await org.call('GET', '/sobjects/Lead/describe', undefined, since)).status).toBe(200);
    expect((await org.call('GET', '/sobjects/Foo/describe')).status).toBe(404);
    const all = (await org.call('GET', '/sobjects')).body as { sobjects: Array<{ name: string }> };
    expect(all.sobjects.map((one) => one.name)).toEqual([
      'Lead',
      'Contact',
      'Account',
      'Opportunity',
      'User',
      'Group',
      'PlatformEventUsageMetric',
    ]);
  });

  it('count every request and refuse those beyond the day’s allocation', async () => {
    await org.close();
    org = await openTestOrg({ limits: { apiRequestsPerDay: 2 } });
    const first = await org.call('GET', '/limits');
    expect(first.headers.get('sforce-limit-info')).toBe('api-usage=1/2');
    expect(first.body).toMatchObject({ DailyApiRequests: { Max: 2, Remaining: 1 } });
    await org.call('GET', '/limits');
    expect(await org.call('GET', '/limits')).toMatchObject(
      error(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'),
    );
    org.clock.advance(25 * 3_600);
    expect((await org.call('GET', '/limits', undefined, { authorization: `Bearer ${await org.token()}` })).status).toBe(
      200,
    );
  });
});

describe('faults', () => {
  const on = (kind: string, options: Record<string, unknown> = {}, match?: string) =>
    org.faults.add({
      system: 'salesforce',
      kind,
      rate: 1,
      count: 1,
      options,
      ...(match === undefined ? {} : { match }),
    });

  it.each([
    ['http-500', 500, 'UNKNOWN_EXCEPTION'],
    ['request-limit', 403, 'REQUEST_LIMIT_EXCEEDED'],
    ['query-timeout', 400, 'QUERY_TIMEOUT'],
  ])('%s answers %i', async (kind, status, code) => {
    await org.call('GET', '/limits');
    on(kind);
    const url = `/query?q=${encodeURIComponent('SELECT COUNT() FROM Lead')}`;
    expect(await org.call('GET', url)).toMatchObject(error(status, code));
    expect((await org.call('GET', url)).status).toBe(200);
  });

  it('http-503-html answers a page, on matching paths only', async () => {
    on('http-503-html', {}, '/sobjects');
    expect((await org.call('GET', '/limits')).status).toBe(200);
    const answer = await org.call('GET', '/sobjects');
    expect(answer.status).toBe(503);
    expect(answer.body).toContain('<html>');
  });

  it('disconnect breaks the connection before or after the work is done', async () => {
    await org.call('GET', '/limits');
    on('disconnect', {}, '/sobjects');
    await expect(org.call('POST', '/sobjects/Lead', lead)).rejects.toThrow('fetch failed');
    expect(org.sandbox.stats().records['Lead']).toEqual({ live: 0, deleted: 0 });
    on('disconnect', { when: 'after' }, '/sobjects');
    await expect(org.call('POST', '/sobjects/Lead', lead)).rejects.toThrow('fetch failed');
    expect(org.sandbox.stats().records['Lead']).toEqual({ live: 1, deleted: 0 });
  });

  it('latency holds a request', async () => {
    await org.call('GET', '/limits');
    on('latency', { delayMs: 120 });
    const started = performance.now();
    await org.call('GET', '/limits');
    expect(performance.now() - started).toBeGreaterThanOrEqual(115);
  });

  it('small-pages makes every page smaller, and loses none', async () => {
    await org.sandbox.seed({ leads: 300 });
    org.faults.add({ system: 'salesforce', kind: 'small-pages', rate: 1, options: { max: 50 } });
    interface Page {
      records: Array<{ Id: string }>;
      done: boolean;
      nextRecordsUrl: string;
    }
    const seen = new Set<string>();
    let page = (await org.query('SELECT Id FROM Lead')) as unknown as Page;
    for (;;) {
      expect(page.records.length).toBeLessThanOrEqual(50);
      for (const { Id } of page.records) seen.add(Id);
      if (page.done) break;
      page = (await org.call('GET', page.nextRecordsUrl)).body as Page;
    }
    expect(seen.size).toBe(300);
  });
});
