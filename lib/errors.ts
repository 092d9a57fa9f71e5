/**
 * Every failure kun-stream can name. Match on `code`, decide on `retryable`, exit with `exitCode`:
 * a message is for people, says what failed, the value found and what to do, and may change.
 *
 * Classes are declared here, in the order the data meets them, so that one page lists all that can go wrong.
 */

/** 1 failed · 2 wrong use or recipe · 3 stopped and resumable. */
export type ExitCode = 1 | 2 | 3

/** Options of an error. */
export interface ErrorDetails {
  cause?: unknown
  /** Plain values for a program: JSON-safe, no secrets. */
  details?: Readonly<Record<string, string | number | boolean | null>>
}

/** Base class of all errors. `code` is stable; `retryable` says whether the same operation may succeed later. */
export class KunStreamError extends Error {
  readonly code: string = 'KUN_FAILED'
  readonly retryable: boolean = false
  readonly exitCode: ExitCode = 1
  readonly details: Readonly<Record<string, string | number | boolean | null>>

  constructor(message: string, { cause, details = {} }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.details = details
  }
}

/** Returns a base class with a code; exit code 1 and not retryable by default. */
function coded<const Code extends `KUN_${string}`>(
  code: Code,
  { exitCode = 1, retryable = false }: { readonly exitCode?: ExitCode; readonly retryable?: boolean } = {},
) {
  return class extends KunStreamError {
    override readonly code = code
    override readonly retryable = retryable
    override readonly exitCode: ExitCode = exitCode
  }
}

// ── use and recipe ──────────────────────────────────────────────────────────

/** An option of a function has a value outside its range. */
export class InvalidOptionError extends coded('KUN_INVALID_OPTION', { exitCode: 2 }) {}

/** The recipe is not valid; the message contains the path in the recipe, the value and what is allowed. */
export class RecipeError extends coded('KUN_RECIPE', { exitCode: 2 }) {}

/** The command line was used wrongly. */
export class UsageError extends coded('KUN_USAGE', { exitCode: 2 }) {}

/** The operating system refused an operation that no other class covers: on a process, a pipe, a socket. */
export class SystemError extends coded('KUN_SYSTEM') {}

/** A command of Slurm is not installed or failed. */
export class SlurmError extends coded('KUN_SLURM') {}

// ── engine ──────────────────────────────────────────────────────────────────

/** A graph cannot be run as it was built. */
export class GraphError extends coded('KUN_GRAPH') {}

/** A stage broke the engine's contract: an outcome missing, `emit: []`, a mark settled twice. A bug, never data. */
export class ContractError extends coded('KUN_CONTRACT') {}

/** The run was stopped by its signal. What was committed stays; the run resumes. */
export class AbortedError extends coded('KUN_ABORTED', { exitCode: 3 }) {}

// ── sources ─────────────────────────────────────────────────────────────────

/** No shard matches the recipe. */
export class SourceNotFoundError extends coded('KUN_SOURCE_NOT_FOUND', { exitCode: 2 }) {}

/** A shard cannot be read in the format of its name or first bytes. */
export class ShardFormatError extends coded('KUN_SHARD_FORMAT') {}

/** A shard is not the one that run.json pinned. */
export class ShardChangedError extends KunStreamError {
  override readonly code = 'KUN_SHARD_CHANGED'
  /** Resumable if its committed bytes are compared when the run resumes. */
  override readonly exitCode: ExitCode = this.details.resumable === true ? 3 : 1
}

/** Why a shard, or a part of it, became one reject. */
export type ShardDamageReason =
  | 'shard-truncated'
  | 'shard-corrupt'
  /** A known format that is not supported. */
  | 'shard-unsupported'
  /** A Parquet shard without the column of the text. */
  | 'shard-columns'
  /** Its decoded size is over a limit. */
  | 'shard-too-large'
  /** Listed, but missing. */
  | 'shard-missing'

/** A shard is truncated or damaged. Caught in lib/sources and turned into a reject: the run continues. */
export class ShardDamageError extends KunStreamError {
  override readonly code = 'KUN_SHARD_DAMAGE'

  constructor(
    readonly reason: ShardDamageReason,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details)
  }
}

// ── workers ─────────────────────────────────────────────────────────────────

/** A worker thread died, ran out of memory or ran out of time on a block. */
export class WorkerLostError extends coded('KUN_WORKER_LOST', { retryable: true }) {}

/** A custom filter threw, or returned something that is not an outcome. */
export class CustomFilterError extends coded('KUN_CUSTOM_FILTER') {}

// ── model servers ───────────────────────────────────────────────────────────

/** An endpoint cannot be used as the recipe says: refused at start. */
export class EndpointError extends coded('KUN_ENDPOINT', { exitCode: 2 }) {}

/** The server failed, not the record: connection, 429, 5xx, timeout. The request is retried. */
export class ServerError extends coded('KUN_SERVER', { retryable: true }) {}

/** The server refuses the account (arrears, quota, balance): no verdict on any record. Stopped and resumable. */
export class AccountError extends coded('KUN_ACCOUNT', { exitCode: 3 }) {}

/** The server refused this request; a retry would be refused too. */
export class RequestRefusedError extends coded('KUN_REQUEST_REFUSED') {}

/** A limit of the recipe (tokens, hours) was reached: stopped and resumable. */
export class LimitError extends coded('KUN_LIMIT', { exitCode: 3 }) {}

/** The model server was down longer than `servers.outageMaxMs`. The run stopped and can be resumed. */
export class OutageError extends coded('KUN_OUTAGE', { exitCode: 3 }) {}

/** Replies have drifted during the run (language, yield, length, format): stopped and resumable. */
export class DriftError extends coded('KUN_DRIFT', { exitCode: 3 }) {}

/** The first records all ended alike, or a run reached its end without a row: change the recipe and run again. */
export class NoYieldError extends coded('KUN_NO_YIELD', { exitCode: 3 }) {}

/** The same command fails again until a person changes the path, a permission or a mount. */
const lastingRefusals: ReadonlySet<string> = new Set([
  'EACCES',
  'EINVAL',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENODEV',
  'ENOENT',
  'ENOTDIR',
  'ENXIO',
  'EPERM',
  'EROFS',
])

// ── run directory ───────────────────────────────────────────────────────────

/** The run directory belongs to another recipe, version or input. */
export class RunMismatchError extends coded('KUN_RUN_MISMATCH', { exitCode: 2 }) {}

/** Another process works on the run directory. */
export class RunLockedError extends coded('KUN_RUN_LOCKED', { exitCode: 2 }) {}

/**
 * The run no longer holds the lock of its directory: another process took it over, or it could not be renewed in time.
 * Nothing is written after that; the run resumes once no other process works on the directory.
 */
export class LockLostError extends coded('KUN_LOCK_LOST', { exitCode: 3 }) {}

/**
 * The disk or the file system refused. Transient failures (disk full, too many open files, I/O error) stop the run,
 * resumable; an impossible path, a missing permission or a read-only file system is not resumable: exit code 2.
 */
export class StorageError extends KunStreamError {
  override readonly code = 'KUN_STORAGE'
  override readonly exitCode: ExitCode = lastingRefusals.has(String(this.details.errno)) ? 2 : 3
}

/** A file of the run directory would be too large to be read back: refused before it is written. */
export class TooLargeError extends coded('KUN_TOO_LARGE', { exitCode: 2 }) {}

/** The system gives no memory for what a run must hold. It stopped, and resumes where more is allowed. */
export class MemoryRefusedError extends coded('KUN_MEMORY_REFUSED', { exitCode: 3 }) {}

/** A file of the run directory does not hold what its checksum or format says. */
export class CorruptFileError extends coded('KUN_CORRUPT_FILE') {}

// ── object store ────────────────────────────────────────────────────────────

/**
 * The directory or bucket cannot be a store: two writers of one name may both believe that they were the first. Found by
 * a trial at the start.
 */
export class StoreRefusedError extends coded('KUN_STORE_REFUSED', { exitCode: 2 }) {}

/** The bucket refuses access: keys, permission, missing bucket, wrong region. */
export class StoreAccessError extends coded('KUN_STORE_ACCESS', { exitCode: 2 }) {}

/** The object store is down or too busy. Requests were retried; the run stopped and can be resumed. */
export class StoreUnavailableError extends coded('KUN_STORE_UNAVAILABLE', { retryable: true, exitCode: 3 }) {}

// ── Hub ─────────────────────────────────────────────────────────────────────

/** The Hub refuses access: token, permission, missing repository. */
export class HubAccessError extends coded('KUN_HUB_ACCESS', { exitCode: 2 }) {}

/** The Hub is down or its rate limit is exceeded. Requests were retried; the run stopped and can be resumed. */
export class HubUnavailableError extends coded('KUN_HUB_UNAVAILABLE', { retryable: true, exitCode: 3 }) {}

// ── queue ───────────────────────────────────────────────────────────────────

/** The queue refuses access: password, ACL, certificate. */
export class QueueAccessError extends coded('KUN_QUEUE_ACCESS', { exitCode: 2 }) {}

/** The queue could not be reached in time. Results are in the store; the command resumes. */
export class QueueError extends coded('KUN_QUEUE', { retryable: true, exitCode: 3 }) {}

/** The workers that took a unit were lost, again and again: a record may end the process that works on it. */
export class UnitLostError extends coded('KUN_UNIT_LOST') {}

/** Every other unit is done, and these were set aside after repeated failures: retry, bisect or skip them. */
export class UnitsSetAsideError extends coded('KUN_UNITS_SET_ASIDE') {}
