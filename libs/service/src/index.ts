/**
 * Starting and stopping one service: Nest boot, the consumer, HTTP doors, signals, the order of shutdown. Knows no topics
 * and no rules; an app is given as a {@link ServiceSpec}.
 */
export type { ServiceParts } from './parts.js';
export * from './service.js';
