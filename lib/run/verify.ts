/**
 * Checks every durable file of a run directory: parts and manifest by lib/sinks, logs by their owners, stats.json against
 * the counters of the manifest. Changes nothing.
 */
import { join } from 'node:path'
import { ownValue } from '../core/dictionary.js'
import { checkDedupLogs } from '../dedup/check.js'
import { KunStreamError } from '../errors.js'
import { type Finding, type ManifestEntry, type Verification, verifyRun } from '../sinks/index.js'
import { type FileLayer, nodeFiles, readWholeFile } from '../storage/files.js'
import { checkReplies } from '../storage/replies/reply-check.js'
import { dedupFolder, driftName, repliesFolder, statsName } from '../storage/run-layout.js'
import { type Counters, checkAccounting, total } from './accounting.js'
import { readStarts } from './drift/drift-file.js'
import { statsText } from './stats-file.js'

const statsBytesMax = 64 * 1024 * 1024

/**
 * Reads everything: takes about as long as decoding the dataset and its replies.
 *
 * @param checkMore durable files that this layer does not know, such as the state of publishing
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
      ...(await checkBrakes(files, directory)),
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
        repair: 'start the run again: it keeps the other replies, and requests again what it needs of the damaged ones',
      }),
    ),
    ...dedup.map(
      ({ name, what }): Finding => ({
        severity: 'error',
        file: `${dedupFolder}/${name}`,
        what,
        repair: 'start the run again: it decides the blocks behind the damage again, from its input',
      }),
    ),
  ]
}

async function checkBrakes(files: FileLayer, directory: string): Promise<readonly Finding[]> {
  try {
    await readStarts(files, directory)
    return []
  } catch (error) {
    const repair = 'delete it, or start the run again: drift is measured from a new start'
    return [{ severity: 'error', file: driftName, what: (error as Error).message, repair }]
  }
}

/** The file is written when a run ends: it has the counters of the last cut, or of an earlier one after a kill. */
async function checkStats(
  files: FileLayer,
  directory: string,
  entries: readonly ManifestEntry[],
): Promise<readonly Finding[]> {
  const found = (what: string): Finding[] => [
    { severity: 'error', file: statsName, what, repair: 'start the run again: it is written anew at its end' },
  ]
  try {
    const bytes = await readWholeFile(files, join(directory, statsName), statsBytesMax)
    if (bytes === null) return []
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
    // Without a cut, the counters are empty.
    const isOfSomeCut = entries.some(({ cut, counters }) => text === statsText({ cuts: cut + 1, splits: counters }))
    return isOfSomeCut || (entries.length === 0 && text.startsWith('{\n  "cuts": 0,'))
      ? []
      : found('it does not hold the counters of any cut of the manifest')
  } catch (error) {
    if (!(error instanceof KunStreamError)) throw error
    return found(error.message)
  }
}

/** Checks the three equations of each split, and compares the counters with the rows and rejects found. */
export function checkCounters(
  { counters }: Pick<ManifestEntry, 'counters'>,
  { rows, rejects }: Pick<Verification, 'rows' | 'rejects'>,
): string[] {
  const splits = counters as Counters
  const faults = checkAccounting(splits).map(
    ({ split, equation, left, right }) => `${split}: ${equation}: ${left} is not ${right}`,
  )
  for (const split of new Set([...Object.keys(splits), ...Object.keys(rows), ...Object.keys(rejects)])) {
    const own = ownValue(splits, split)
    const dropped = own ? total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects) : 0
    const compare = (what: string, found: number, counted: number): void => {
      if (found !== counted) faults.push(`${split}: ${found} ${what} are there, ${counted} were counted`)
    }
    compare('rows', ownValue(rows, split) ?? 0, own?.rows ?? 0)
    compare('rejects', ownValue(rejects, split) ?? 0, dropped)
  }
  return faults
}
