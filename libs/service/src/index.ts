/**
 * Starting and stopping one service: Nest boot, the consumer, HTTP doors, signals, the order of shutdown; and the mapping
 * files, for services that work by them while they are edited; and the safety stop of those that make dead letters. Knows no
 * topic but that of the commands; an app is given as a {@link ServiceSpec}.
 */
export type { Endings } from './death-window.js';
export * from './live-mappings.js';
export type { ServiceParts } from './parts.js';
export * from './safety-stop.js';
export * from './service.js';
