import type { SourceRecord } from '@libs/mapping';
import type { OrgRecord } from './org.js';

/** `2026-01-05T00:00:00.000+0000`, as the REST API writes a time. */
const datetime = (ms: number): string => new Date(ms).toISOString().replace('Z', '+0000');

/** A record as a query over all rows gives it, deleted ones included. */
export function rowOf(record: OrgRecord): SourceRecord {
  return {
    Id: record.id,
    CreatedDate: datetime(record.createdMs),
    SystemModstamp: datetime(record.modstampMs),
    IsDeleted: record.deleted,
    MasterRecordId: record.masterId,
    Email: record.email,
    FirstName: record.firstName,
    LastName: record.lastName,
    HasOptedOutOfEmail: record.optedOut,
    ...(record.type === 'Lead'
      ? { Rating: record.own, IsConverted: record.convertedTo !== null, ConvertedContactId: record.convertedTo }
      : { Department: record.own }),
  };
}
