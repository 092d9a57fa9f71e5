/**
 * Names of all files and folders of a run directory, and which of them a mirror copies. The contents belong to the
 * modules that read and write them. A path that was read from a file is checked with the patterns here.
 */
import { quote } from '../core/quote.js'
import { ContractError, InvalidOptionError } from '../errors.js'
import { say } from '../language/say.js'
import { temporarySuffix } from './files.js'

/** One line per committed cut. A file that no line names is not part of the dataset. */
export const manifestName = 'manifest.jsonl'
/** The manifest of a run that is being deleted; recovery deletes all parts while it exists. */
export const discardedManifestName = `${manifestName}.discarded${temporarySuffix}`
/** Values that determine the bytes of the run, and its recipe. */
export const runRecordName = 'run.json'
/** Counters of the last cut. */
export const statsName = 'stats.json'
/** How each stage began: the state of drift detection. */
export const driftName = 'brakes.json'
/** Throughput of each call of `run`. */
export const timingsName = 'timings.json'
/** Figures of the latest calls of `run` over time. */
export const seriesName = 'series.json'
export const progressName = 'progress.json'
/** The report of a run, a page that needs no other file. */
export const reportName = 'report.html'
/** Which account on which file system made the run. */
export const originName = 'origin.json'
/** Upload progress. */
export const publishStateName = 'publish.json'
/** The lock of the process that works on the directory. */
export const lockName = 'lock.json'
/** The latest records that are finished and not committed, for people. */
export const latestName = 'latest.json'
/** What the servers of a sample responded to its probes. */
export const probesName = 'probes.json'
/** Finished records that wait for an earlier one; deleted at start. */
export const spillName = 'reorder.spill'

/** Rows, `{split}-{cut}-{n}.parquet`. */
export const dataFolder = 'data'
/** Dropped and failed records, `{cut}-{n}.parquet`. */
export const rejectsFolder = 'rejects'
/** Append-only logs of replies, `{n}.log`; closed ones compressed to `{n}.pack`. */
export const repliesFolder = 'replies'
/** The log of the dedup index, and the log of its texts. */
export const dedupFolder = 'dedup'
export const dedupLogName = 'index'
export const dedupTextsSuffix = '.texts'

/** The units of a run that is divided: lib/units. */
export const planFolder = 'plan'

/** What people decided about rows, `{reviewer}.jsonl`. Not part of the dataset; no mirror copies it. */
export const reviewsFolder = 'reviews'
/** Suffix of a file of reviews. */
export const reviewsSuffix = '.jsonl'

/** Matches the name of a reviewer, which names a file: letters, digits, '_', '.' and '-', no leading dot. */
export const reviewerPattern = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,59}$/u

/** Folders of the files that the manifest names. */
export const partFolders = [dataFolder, rejectsFolder] as const
/** Folders of append-only logs. */
export const logFolders = [dedupFolder, repliesFolder] as const
/** Files that are replaced as a whole and that a resumed run or a reader of the dataset needs: a mirror copies them. */
export const durableFiles = [runRecordName, driftName, statsName] as const
/** Files that a mirror does not copy: they describe this machine, or are created again when they are missing. */
export const localFiles = [
  timingsName,
  seriesName,
  progressName,
  reportName,
  originName,
  publishStateName,
  lockName,
  latestName,
  probesName,
  spillName,
] as const

/** Parts of a split in one cut. */
const partsPerCutMax = 1000
const cutsMax = 1_000_000

/** Returns data/{split}-{cut}-{n}.parquet, or rejects/{cut}-{n}.parquet if `split` is null. */
export function partPath(split: string | null, cut: number, n: number): string {
  if (cut >= cutsMax || n >= partsPerCutMax) {
    throw new ContractError(
      `cut ${cut}, part ${n}: at most ${cutsMax} cuts of ${partsPerCutMax} parts can be named: make cuts or files larger`,
    )
  }
  const numbers = `${String(cut).padStart(6, '0')}-${String(n).padStart(3, '0')}`
  return split === null ? `${rejectsFolder}/${numbers}.parquet` : `${dataFolder}/${split}-${numbers}.parquet`
}

/** Matches the name of a part, finished or not. Other files in the folders of parts are never deleted. */
export const partName = /^(?:(?<split>[\p{L}\p{N}_.]+)-)?(?<cut>\d{6})-\d{3}\.parquet(?:\.writing)?$/u

/** Matches a path of a part in the manifest; a path to anywhere else is refused. */
export const partPathPattern = /^(?:data\/[\p{L}\p{N}_.]+-|rejects\/)\d{6}-\d{3}\.parquet$/u

/** Matches the name of a segment of replies. */
export const replySegmentName = /^(\d{6,})\.(log|pack)$/

/** Matches the name of a log of the dedup index. */
export const dedupLogPattern = /^index(?:\.texts)?$/

/** Whether a path in a run directory is an append-only log, whose frames can be checked. */
export function isLogPath(path: string): boolean {
  const [folder, name = '', ...rest] = path.split('/')
  if (rest.length > 0) return false
  return folder === dedupFolder ? dedupLogPattern.test(name) : folder === repliesFolder && replySegmentName.test(name)
}

/** As the Hub requires it: words of letters, digits and '_', joined by dots. */
export function checkSplit(split: string): void {
  if (split.length > 100 || !/^[\p{L}\p{N}_]+(\.[\p{L}\p{N}_]+)*$/u.test(split)) {
    throw new InvalidOptionError(
      say`a split is named ${quote(split)}: letters, digits and _ are allowed, with dots between words, 100
        at most`,
    )
  }
}
