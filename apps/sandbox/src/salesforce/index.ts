/**
 * A simulated Salesforce org: OAuth, REST with SOQL, change events over CometD and the Pub/Sub
 * API, with the documented limits and errors and
 * with faults on demand. It is a stranger to the rest of the project: clients meet it over the network only.
 * Not here: Bulk API 2.0.
 */
export { salesforceAdminPaths, salesforceAdminRoutes } from './admin-routes.js';
export { salesforceFaultKinds, type FaultKind, type SalesforceFaultKind } from './fault-kinds.js';
export { SalesforceError, UnknownNameError } from './errors.js';
export { changeTypes, type ChangeType } from './events/change-event.js';
export type {
  CustomChannel,
  PubSubDoor,
  SalesforceSandboxOptions,
  SandboxCredentials,
  SandboxLimits,
  SandboxTiming,
} from './options.js';
export { createSalesforceSandbox, type EmittedEvent, type SalesforceSandbox, type SalesforceStats } from './sandbox.js';
export { streamTiming } from './options.js';
export type { ConvertedLead, LeadConversion } from './writes/convert-lead.js';
export type { MassChange, Storm } from './writes/mass-changes.js';
export type { By, RecordsApi } from './records-api.js';
export { registrationObject } from './schema/standard-objects.js';
export { field, reference, type FieldSchema, type FieldType, type ObjectSchema } from './schema/types.js';
export type { SeedCounts } from './seed/seed.js';
export type { Traffic, TrafficOptions } from './seed/traffic.js';
