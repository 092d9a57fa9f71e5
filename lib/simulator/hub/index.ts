/** A simulated Hugging Face Hub, for tests, benches and `kun-stream dev-hub`. */
export type { HubToken, RateWindow } from './access.js'
export type { HubFault, HubFaultKind } from './faults.js'
export type { HubLogEntry } from './server.js'
export { type Hub, type HubOptions, startHub } from './simulated-hub.js'
