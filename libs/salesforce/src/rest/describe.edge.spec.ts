import { createMetrics } from '@libs/observability';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpFake, json } from '../../test/http-fake.js';
import { createSalesforceClient } from './client.js';

let fake: HttpFake;
/** What the org answers. */
let answer: unknown;

beforeEach(async () => {
  fake = await HttpFake.start();
  fake.answer = (request, response) =>
    json(
      response,
      200,
      request.path.endsWith('/token')
        ? { access_token: 'token', instance_url: fake.url, id: 'https://x/id/00D5f000003XYZaEAO/0055f000005mc66AAA' }
        : answer,
    );
});
afterEach(() => fake.stop());

function client() {
  const settings = {
    SALESFORCE_LOGIN_URL: fake.url,
    SALESFORCE_AUTH: 'client-credentials',
    SALESFORCE_CLIENT_ID: 'id',
    SALESFORCE_CLIENT_SECRET: 'secret',
    SALESFORCE_API_VERSION: '67.0',
  } as const;
  return createSalesforceClient(settings, { metrics: createMetrics() });
}

describe('an object description', () => {
  it('reads what this project needs', async () => {
    answer = {
      name: 'Lead',
      keyPrefix: '00Q',
      label: 'Lead',
      fields: [
        {
          name: 'OwnerId',
          type: 'reference',
          length: 18,
          relationshipName: 'Owner',
          referenceTo: ['Group', 'User'],
          calculated: false,
          nillable: false,
          filterable: true,
          label: 'Owner',
        },
        {
          name: 'Score__c',
          type: 'double',
          length: 0,
          calculated: true,
          calculatedFormula: 'CASE(Rating, "Hot", 50, 0)',
          nillable: true,
          filterable: false,
          relationshipName: null,
          referenceTo: [],
        },
        {
          name: 'Rating',
          type: 'picklist',
          length: 255,
          label: 'Rating',
          picklistValues: [
            { value: 'Hot', label: 'Hot', active: true, defaultValue: false },
            { value: 'Tepid', label: 'Tepid', active: false, defaultValue: false },
          ],
        },
      ],
    };
    await expect(client().describe('Lead')).resolves.toEqual({
      name: 'Lead',
      label: 'Lead',
      keyPrefix: '00Q',
      fields: [
        {
          name: 'OwnerId',
          label: 'Owner',
          type: 'reference',
          length: 18,
          relationshipName: 'Owner',
          referenceTo: ['Group', 'User'],
          calculated: false,
          calculatedFormula: null,
          nillable: false,
          filterable: true,
          picklistValues: [],
        },
        {
          name: 'Score__c',
          label: '',
          type: 'double',
          length: 0,
          relationshipName: null,
          referenceTo: [],
          calculated: true,
          calculatedFormula: 'CASE(Rating, "Hot", 50, 0)',
          nillable: true,
          filterable: false,
          picklistValues: [],
        },
        {
          name: 'Rating',
          label: 'Rating',
          type: 'picklist',
          length: 255,
          relationshipName: null,
          referenceTo: [],
          calculated: false,
          calculatedFormula: null,
          nillable: true,
          filterable: true,
          picklistValues: [
            { value: 'Hot', active: true },
            { value: 'Tepid', active: false },
          ],
        },
      ],
    });
    expect(fake.received.at(-1)?.path).toBe('/services/data/v67.0/sobjects/Lead/describe');
  });

  it('refuses a name that is none', async () => {
    await expect(client().describe('Lead/../x')).rejects.toThrow('not an API name');
  });
});

describe('the list of objects', () => {
  it('names those that can be queried', async () => {
    const sobjects = [
      { name: 'Lead', queryable: true },
      { name: 'AcceptedEventRelation', queryable: false },
      { name: 'Invoice__c', queryable: true },
    ];
    answer = { sobjects };
    await expect(client().listObjects()).resolves.toEqual(['Lead', 'Invoice__c']);
    expect(fake.received.at(-1)?.path).toBe('/services/data/v67.0/sobjects');
  });
});
