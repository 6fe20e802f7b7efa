/**
 * The Salesforce side: session, query, describe, SOQL from checked parts, change-event subscription. Hides jsforce and
 * faye. Does not know topics or mappings.
 */
export * from './port.js';
