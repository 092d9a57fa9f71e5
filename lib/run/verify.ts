/**
 * Checks every durable file of a run directory: parts and manifest with lib/sinks, the logs, brakes.json, and stats.json
 * against the counters of the manifest. Changes nothing.
 */
import { join } from 'node:path'
import { errorMessage } from '../caught-error.js'
import { ownValue } from '../core/dictionary.js'
import { checkDedupLogs } from '../dedup/check.js'
import { CorruptFileError, KunStreamError } from '../errors.js'
import { type Finding, type ManifestEntry, type Verification, verifyRun } from '../sinks/index.js'
import { type FileLayer, nodeFiles, readWholeFile } from '../storage/files.js'
import { checkReplies } from '../storage/replies/reply-check.js'
import { dedupFolder, driftName, repliesFolder, statsName } from '../storage/run-layout.js'
import { type Counters, checkAccounting, total } from './accounting.js'
import { countersOf } from './committed-cut.js'
import { readStarts } from './drift/drift-file.js'
import { statsText } from './stats-file.js'

const statsBytesMax = 64 * 1024 * 1024

/**
 * Verifies a run directory. Reads all of it, which takes about as long as decoding the dataset and its replies.
 *
 * @param checkMore checks durable files of other layers, such as the upload progress
 */
export async function verifyDirectory(
  directory: string,
  {
    files = nodeFiles,
    checkMore = async () => [],
  }: { readonly files?: FileLayer; readonly checkMore?: () => Promise<readonly Finding[]> } = {},
): Promise<Verification> {
  return verifyRun(directory, {
    files,
    checkCounters,
    checkOthers: async (entries) => [
      ...(await checkLogs(files, directory, entries)),
      ...(await checkDriftFile(files, directory)),
      ...(await checkStats(files, directory, entries)),
      ...(await checkMore()),
    ],
  })
}

async function checkLogs(
  files: FileLayer,
  directory: string,
  entries: readonly ManifestEntry[],
): Promise<readonly Finding[]> {
  const replies = await checkReplies(files, join(directory, repliesFolder))
  const dedup = await checkDedupLogs(files, join(directory, dedupFolder), entries.at(-1)?.dedupLogBytes ?? 0)
  return [
    ...replies.map(
      ({ name, what, torn }): Finding => ({
        severity: torn ? 'warning' : 'error',
        file: `${repliesFolder}/${name}`,
        what: torn ? `${what}: left by a crash, or damaged` : what,
        repair: 'start the run again: it keeps the other replies and sends the requests of damaged ones again',
      }),
    ),
    ...dedup.map(
      ({ name, what }): Finding => ({
        severity: 'error',
        file: `${dedupFolder}/${name}`,
        what,
        repair: 'start the run again: it deduplicates the blocks behind the damage again',
      }),
    ),
  ]
}

async function checkDriftFile(files: FileLayer, directory: string): Promise<readonly Finding[]> {
  try {
    await readStarts(files, directory)
    return []
  } catch (error) {
    const repair = 'delete it, or start the run again: drift detection starts from scratch'
    return [{ severity: 'error', file: driftName, what: errorMessage(error), repair }]
  }
}

/** The file is written when a run ends: after a kill it has the counters of an earlier cut. */
async function checkStats(
  files: FileLayer,
  directory: string,
  entries: readonly ManifestEntry[],
): Promise<readonly Finding[]> {
  const found = (what: string): Finding[] => [
    { severity: 'error', file: statsName, what, repair: 'start the run again: it is written when the run ends' },
  ]
  try {
    const bytes = await readWholeFile(files, join(directory, statsName), statsBytesMax)
    if (bytes === null) return []
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
    // Before the first cut the counters are zero, for the splits of the recipe.
    const isOfSomeCut = entries.some(({ cut, counters }) => text === statsText({ cuts: cut + 1, splits: counters }))
    return isOfSomeCut || (entries.length === 0 && text.startsWith('{\n  "cuts": 0,'))
      ? []
      : found('it does not hold the counters of any cut of the manifest')
  } catch (error) {
    if (!(error instanceof KunStreamError)) throw error
    return found(error.message)
  }
}

/** Checks the three equations of each split, and compares the counters with the rows and rejects in the parts. */
export function checkCounters(
  entry: Pick<ManifestEntry, 'cut' | 'counters'>,
  { rows, rejects }: Pick<Verification, 'rows' | 'rejects'>,
): string[] {
  let splits: Counters
  try {
    splits = countersOf(entry)
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    return [error.message]
  }
  const faults = checkAccounting(splits).map(
    ({ split, equation, left, right }) => `${split}: ${equation}: ${left} is not ${right}`,
  )
  for (const split of new Set([...Object.keys(splits), ...Object.keys(rows), ...Object.keys(rejects)])) {
    const own = ownValue(splits, split)
    const dropped = own ? total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects) : 0
    const compare = (what: string, found: number, counted: number): void => {
      if (found !== counted) faults.push(`${split}: found ${found} ${what}, but ${counted} were counted`)
    }
    compare('rows', ownValue(rows, split) ?? 0, own?.rows ?? 0)
    compare('rejects', ownValue(rejects, split) ?? 0, dropped)
  }
  return faults
}
