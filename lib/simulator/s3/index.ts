/** A simulated S3, for tests and `kun-stream simulate --s3`. */
export type { S3Fault, S3FaultKind } from './faults.js'
export { type S3LogEntry, type SimulatedS3, type SimulatedS3Options, simulatedKeys, startS3 } from './simulated-s3.js'
