import type { ServiceHealth } from './answers.js';

/** The check by which a service says that a safety stop holds: that of libs/service. */
export const SAFETY_STOP_CHECK = 'dead-letters';

/** The services in which a safety stop holds. */
export function stoppedServices(services: readonly ServiceHealth[]): string[] {
  return services
    .filter(({ checks }) => checks.some(({ name, ok }) => name === SAFETY_STOP_CHECK && !ok))
    .map(({ name }) => name);
}
