/** Exports of lib/sinks for other folders. */

export { type CutWriterOptions, cutOptions, openCutWriter } from './cut-writer.js'
export { appendToManifest, readManifest } from './manifest.js'
export { mustBeCommitted } from './part-check.js'
export { recoverRunDirectory } from './recover.js'
export { rejectColumns } from './reject-columns.js'
export {
  openRunDirectory,
  parseRunRecord,
  type RunDirectory,
  type RunDirectoryOptions,
  type RunRecord,
  readRunRecord,
  recipeNameOf,
} from './run-directory.js'
export type * from './types.js'
export { type Finding, type Verification, type VerifyOptions, verifyRun } from './verify.js'
