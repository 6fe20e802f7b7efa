/**
 * Starting and stopping one service: Nest boot, the consumer, HTTP doors, signals, the order of shutdown; and the mapping
 * files, for services that work by them while they are edited. Knows no topics; an app is given as a {@link ServiceSpec}.
 */
export * from './live-mappings.js';
export type { ServiceParts } from './parts.js';
export * from './service.js';
