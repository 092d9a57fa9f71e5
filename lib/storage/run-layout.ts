/** Where things lie in a run directory. Names come from cut and split alone; a path read from a file is checked here. */
import { quote } from '../core/quote.js'
import { ContractError, InvalidOptionError } from '../errors.js'

/** One line a committed cut; what no line names does not count. */
export const manifestName = 'manifest.jsonl'
/** Rows, `{split}-{cut}-{n}.parquet`. */
export const dataFolder = 'data'
/** What was dropped or failed, `{cut}-{n}.parquet`. */
export const rejectsFolder = 'rejects'

/** Parts of a split in one cut. */
const partsPerCutMax = 1000
const cutsMax = 1_000_000

/** data/{split}-{cut}-{n}.parquet, rejects/{cut}-{n}.parquet for `split` null. */
export function partPath(split: string | null, cut: number, n: number): string {
  if (cut >= cutsMax || n >= partsPerCutMax) {
    throw new ContractError(
      `cut ${cut}, part ${n}: at most ${cutsMax} cuts of ${partsPerCutMax} parts can be named: make cuts or files larger`,
    )
  }
  const numbers = `${String(cut).padStart(6, '0')}-${String(n).padStart(3, '0')}`
  return split === null ? `${rejectsFolder}/${numbers}.parquet` : `${dataFolder}/${split}-${numbers}.parquet`
}

/** The manifest of a run that is being deleted; while it is there, no part counts. */
export const discardedName = 'manifest.jsonl.discarded.writing'

/** The names of a part of ours, finished or not; anything else in data/ is left alone. */
export const partName = /^(?:(?<split>[\p{L}\p{N}_.]+)-)?(?<cut>\d{6})-\d{3}\.parquet(?:\.writing)?$/u

/** A path that a manifest gives; one that leads elsewhere is refused. */
export const partPathPattern = /^(?:data\/[\p{L}\p{N}_.]+-|rejects\/)\d{6}-\d{3}\.parquet$/u

/** As the Hub wants it: words of letters, digits and '_', joined by dots. */
export function checkSplit(split: string): void {
  if (split.length > 100 || !/^[\p{L}\p{N}_]+(\.[\p{L}\p{N}_]+)*$/u.test(split)) {
    throw new InvalidOptionError(
      `a split is named ${quote(split)}: letters, digits and _ are allowed, with dots between words, 100 at most`,
    )
  }
}
