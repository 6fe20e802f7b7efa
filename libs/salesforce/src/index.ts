/**
 * The Salesforce side: session, query, describe, SOQL from checked parts, change-event subscription. Hides jsforce and
 * faye. Does not know topics or mappings.
 */
export * from './errors.js';
export * from './port.js';
export { createSalesforceClient, type SalesforceClientOptions } from './rest/client.js';
export * from './soql/chunk-ids.js';
export * from './soql/date-time.js';
export * from './soql/parse-condition.js';
export * from './soql/soql.js';
export { backoffMs } from './streaming/backoff.js';
export * from './streaming/change-stream.js';
export { createChangeSource, type ChangeSource } from './streaming/change-source.js';
export { pause, superviseStream, type Supervision } from './streaming/supervise-stream.js';
