/**
 * A simulated Iterable project: the endpoints that this project uses, with the documented limits, errors and identity rules,
 * every undocumented point as a switch, and faults on demand. It does not send messages and does not export.
 */
export { injectedFailure, isStruck, type PickingFault } from './endpoints/bulk-faults.js';
export { iterableFaultKinds, type FaultKind, type IterableFaultKind } from './fault-kinds.js';
export {
  createIterableSandbox,
  type IterableSandbox,
  type IterableSandboxOptions,
  type IterableStats,
} from './iterable-sandbox.js';
export { iterableLimits, type IterableLimits } from './limits.js';
export { seededChannels, type Channel, type ChannelSet, type MessageType } from './project/channels.js';
export { pageOf, type LoggedRequest, type RequestFilter } from './request-log.js';
export {
  iterableSwitchChanges,
  iterableSwitches,
  projectTypes,
  type IterableSwitches,
  type ProjectType,
} from './switches.js';
