import { recordIdOf } from '../ids.js';
import type { Org } from '../org.js';
import { field, type ObjectSchema } from '../schema/types.js';

const HOUR_MS = 3_600_000;

/** Deliveries of change events by hour. Source: facts/salesforce.md §3.7. */
export const usageMetricObject: ObjectSchema = {
  name: 'PlatformEventUsageMetric',
  label: 'Platform Event Usage Metric',
  labelPlural: 'Platform Event Usage Metrics',
  keyPrefix: '0v8',
  custom: false,
  childRelationshipName: null,
  writable: false,
  fields: [
    field('Id', 'id'),
    field('Name', 'picklist', { picklist: ['CHANGE_EVENTS_DELIVERED'] }),
    field('StartDate', 'datetime'),
    field('EndDate', 'datetime'),
    field('Value', 'double', { scale: 0 }),
  ],
};

/** Brings the rows up to date if a query is about them: they are counted elsewhere. */
export function refreshUsageMetrics({ store, deliveredEvents }: Org, soql: string): void {
  if (!/\bPlatformEventUsageMetric\b/i.test(soql)) return;
  const object = usageMetricObject;
  store.transaction(() => {
    store.purge(object, store.idsWhere(object, 'Name', 'CHANGE_EVENTS_DELIVERED'));
    for (const [hour, count] of deliveredEvents.byHour) {
      store.insert(object, {
        Id: recordIdOf(object.keyPrefix, hour),
        Name: 'CHANGE_EVENTS_DELIVERED',
        StartDate: hour * HOUR_MS,
        EndDate: (hour + 1) * HOUR_MS,
        Value: count,
      });
    }
  });
}
