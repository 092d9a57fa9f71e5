/** What a run puts on disk, and how it is found again. */
export { featuresOf, huggingfaceMetadata, rejectColumns } from './columns.js'
export { type CutWriterOptions, cutOptions, openCutWriter } from './cut-writer.js'
export { type Encoder, type EncoderOptions, encoderIdentity, encoderOptions, parquetEncoder } from './encoders/index.js'
export { fencedFiles } from './fenced-files.js'
export { ageText, type LockOptions, type LockUse, lockHolder, lockRunDirectory, type RunLock } from './lock.js'
export type { Holder } from './lock-holder.js'
export { readManifest } from './manifest.js'
export { mustBeCommitted } from './part-check.js'
export { openPart, type Part, rowsOf } from './part-reader.js'
export { recoverRunDirectory } from './recover.js'
export {
  openRunDirectory,
  type RunDirectory,
  type RunDirectoryOptions,
  type RunRecord,
  readRunRecord,
} from './run-directory.js'
export type { CommitStep, OnStep } from './steps.js'
export type * from './types.js'
export { type Finding, type Verification, type VerifyOptions, verifyRun } from './verify.js'
