/** `kun-stream status DIR`: prints what is committed, and the speed of the run in progress or how the last one ended. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { UsageError } from '../../errors.js'
import { count } from '../../language/count.js'
import { duration } from '../../language/duration.js'
import { say } from '../../language/say.js'
import { isS3Address } from '../../objects/s3/address.js'
import { funnelLines } from '../../report/funnel.js'
import { readProgress, type StoredProgress } from '../../report/progress-file.js'
import { type CallTimings, readTimings } from '../../report/timings.js'
import type { UnitProgress } from '../../report/unit-progress.js'
import { type Counters, total } from '../../run/accounting.js'
import { countersOf } from '../../run/committed-cut.js'
import { readUncommitted } from '../../run/latest-file.js'
import type { LatestRecord, LatestSnapshot } from '../../run/latest-records.js'
import { readManifest, readRunRecord, recipeNameOf } from '../../sinks/index.js'
import { ageText, lockHolder } from '../../storage/lock/lock.js'
import type { Holder } from '../../storage/lock/lock-holder.js'
import type { UnitProgressReader } from '../../units/unit-progress.js'
import { commandName, shellWord } from '../command-name.js'
import { addCommand } from '../command-summaries.js'
import { mustBeRunDirectory } from '../run-directory-argument.js'
import { countText } from '../terminal/bytes-text.js'
import { pc } from '../terminal/colors.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'
import { limitingText, progressLines, short } from '../terminal/progress-text.js'
import { unitProgressLines } from '../terminal/unit-progress-text.js'
import { printable, truncateText } from '../terminal/wrap-text.js'
import { watchStatus } from '../watch-status.js'

export function registerStatus(program: Command): void {
  addCommand(program, 'status')
    .argument('<dir>', 'run directory, or s3://bucket/prefix of a run in units')
    .option('--json', 'print one JSON object; with --watch a line each time')
    .option('--watch', 'print the progress until the run ends')
    .action(async (directory: string, { json = false, watch = false }: { json?: boolean; watch?: boolean }) => {
      const bucket = isS3Address(directory) ? await openBucket(directory) : null
      const readUnits = unitsReader(directory)
      const read = bucket?.read ?? ((): Promise<RunStatus> => statusOf(directory, readUnits))
      const format = (status: RunStatus): string =>
        json ? JSON.stringify(status) : statusText(status, process.stdout.columns ?? 80)
      try {
        const status = watch ? await watchStatus(read, json ? format : null) : await read()
        writeOut(`${format(status)}\n`)
      } finally {
        await bucket?.close()
      }
    })
}

interface RunStatus {
  readonly directory: string
  readonly name: string | null
  readonly cuts: number
  readonly rows: number
  readonly rejects: number
  readonly bytes: number
  readonly counters: Counters
  /** Process that holds the lock; 'unknown' if it is not visible from here and only its last renewal is known. */
  readonly holder: (Pick<Holder, 'pid' | 'host'> & HolderSigns) | null
  /** The latest call of `run`; figures of a call in progress are up to some seconds old. */
  readonly lastCall: CallTimings | null
  /** Progress of the latest call: up to two seconds old during a run, and final after it. Null before the first. */
  readonly progress: StoredProgress | null
  /** Records that are finished and not committed: up to two seconds old during a run. Null if there are none. */
  readonly uncommitted: (Pick<LatestSnapshot, 'pairs' | 'rejects'> & { readonly latest: LatestRecord | null }) | null
  /** Of a run that is divided into units; null for others. */
  readonly units: UnitProgress | null
}

interface HolderSigns {
  readonly state: 'running' | 'unknown'
  readonly lastSignMs: number | null
}

/**
 * @param readUnits keeps what it has read for the next call
 * @throws {UsageError} the directory does not exist, or does not contain a run
 */
export async function statusOf(directory: string, readUnits = unitsReader(directory)): Promise<RunStatus> {
  await mustBeRunDirectory(directory)
  const record = await readRunRecord(directory)
  if (record === null)
    throw new UsageError(say`${directory} does not contain a run: give a run directory, such as out/demo`)
  const entries = await readManifest(directory)
  const last = entries.at(-1)
  const counters = last === undefined ? {} : countersOf(last)
  const sum = (of: (own: Counters[string]) => number): number =>
    Object.values(counters).reduce((all, own) => all + of(own), 0)
  const lock = await lockHolder(directory)
  const { state = 'unknown', lastSignMs = null } = lock ?? {}
  const latest = await readUncommitted(directory)
  return {
    directory,
    name: recipeNameOf(record),
    cuts: entries.length,
    rows: sum(({ rows }) => rows),
    rejects: sum((own) => total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects)),
    bytes: entries.flatMap(({ files }) => files).reduce((all, { bytes }) => all + bytes, 0),
    counters,
    holder: lock === null ? null : { pid: lock.holder.pid, host: lock.holder.host, state, lastSignMs },
    lastCall: (await readTimings(directory)).at(-1) ?? null,
    progress: await readProgress(directory),
    uncommitted: latest && {
      ...{ pairs: latest.pairs, rejects: latest.rejects },
      latest: latest.latestPairs.at(-1) ?? latest.latestRejects.at(-1) ?? null,
    },
    units: await readUnits(),
  }
}

/**
 * Of a bucket only the units are known: the dataset, the lock and the progress of a run are in local directories.
 *
 * @throws {UsageError} nothing was prepared there
 */
async function openBucket(where: string): Promise<{ read(): Promise<RunStatus>; close(): Promise<void> }> {
  const { openPreparedStore } = await import('../../units/prepared-store.js')
  const { UnitProgressReader } = await import('../../units/unit-progress.js')
  const { store, record } = await openPreparedStore(where, { readOnly: true, onEvent: sayOnStderr })
  const reader = new UnitProgressReader(store)
  const none = { cuts: 0, rows: 0, rejects: 0, bytes: 0, counters: {}, holder: null, lastCall: null, progress: null }
  return {
    read: async () => ({
      ...{ directory: store.url, name: recipeNameOf(record), ...none, uncommitted: null },
      units: await reader.read(),
    }),
    close: () => store.close(),
  }
}

function unitsReader(directory: string): () => Promise<UnitProgress | null> {
  let reader: UnitProgressReader | null = null
  return async () => {
    if (!existsSync(join(directory, 'plan'))) return null
    const { openObjectStore } = await import('../../objects/open-store.js')
    const units = await import('../../units/unit-progress.js')
    // The store of a directory holds nothing open.
    reader ??= new units.UnitProgressReader(await openObjectStore(directory, { readOnly: true }))
    return reader.read()
  }
}

export function statusText(status: RunStatus, columns: number, now = new Date()): string {
  const { directory, name, cuts, rows, rejects, bytes, counters } = status
  if (isS3Address(directory)) return bucketText(status)
  const lines = [
    say`${pc.bold(name ?? directory)}: ${countText(cuts, 'cut is', 'cuts are')} committed, ${countText(rows, 'row')}, ${countText(rejects, 'reject')}, ${(bytes / 1e6).toFixed(1)} MB`,
    ...(cuts > 0 ? ['', ...funnelLines(counters, columns), ''] : []),
    ...(status.units === null ? [] : unitProgressLines(status.units)),
    ...uncommittedLines(status, columns),
    ...callLines(status, columns, now),
  ]
  return lines.join('\n')
}

function bucketText({ directory, name, units }: RunStatus): string {
  const title = say`${pc.bold(name ?? directory)}: units in ${directory}`
  return [title, ...(units === null ? [say`  no unit is planned yet`] : unitProgressLines(units))].join('\n')
}

function uncommittedLines({ uncommitted, directory }: RunStatus, columns: number): string[] {
  if (uncommitted === null) return []
  const { pairs, rejects, latest } = uncommitted
  const counts = say`Not committed yet: ${count(pairs, 'pair')} and ${count(rejects, 'reject')}; see them with ${commandName()} tail ${shellWord(directory)}`
  const shown = latest?.reject ? `${latest.reject.stage}/${latest.reject.reason}` : latest?.instruction
  return [
    counts,
    ...(shown ? [pc.dim(truncateText(`  ${printable(shown).replaceAll('\n', ' ')}`, columns - 1))] : []),
    '',
  ]
}

function callLines({ holder, lastCall, progress }: RunStatus, columns: number, now: Date): string[] {
  if (holder !== null) {
    const who = say`A run is in progress: process ${holder.pid} on ${holder.host}`
    if (holder.state === 'unknown') {
      return [
        say`${who}, or was: the process is not visible from here, and it renewed its lock ${ageText(holder.lastSignMs)} ago
          (a run renews it every 5 s). \`kun-stream run\` waits for a renewal and takes over if there is none`,
      ]
    }
    if (progress?.end === 'running' && progress.pid === holder.pid) {
      const lines = progressLines(progress.progress, { cells: Math.max(20, columns), lines: Number.POSITIVE_INFINITY })
      return [say`${who}, for ${duration(progress.progress.elapsedSeconds)}`, ...lines]
    }
    if (lastCall?.end !== 'running') return [say`${who}, just started`]
    return [say`${who}, for ${duration(lastCall.seconds)}`, `  ${rates(lastCall)}`]
  }
  if (lastCall === null) return [say`No run is in progress.`]
  const ago = duration((now.getTime() - Date.parse(lastCall.startedAt)) / 1000 - lastCall.seconds)
  return [endText(lastCall.end, ago), `  ${rates(lastCall)}`]
}

function endText(end: string, ago: string): string {
  if (end === 'input') return say`No run is in progress. The last one ended at the end of its input, ${ago} ago.`
  if (end === 'limit') return say`No run is in progress. The last one ended at limits.rowsMax, ${ago} ago.`
  if (end === 'running') return say`No run is in progress. The last one was killed, ${ago} ago; run it again to resume.`
  return say`No run is in progress. The last one was stopped by ${end}, ${ago} ago; run it again to resume.`
}

function rates({
  tokens,
  tokensPerSecond,
  nodes,
  bottleneck,
  peakMemoryBytes,
  repliesServedFromDisk,
}: CallTimings): string {
  const memory = say`${Math.round(peakMemoryBytes / 1e6)} MB peak memory`
  if (tokens === 0 && repliesServedFromDisk === 0) return say`no requests were needed, ${memory}`
  const limiting = limitingText(bottleneck)
  const released = nodes.at(-1)?.outPerSecond ?? 0
  return say`${short(Math.round(tokensPerSecond))} tokens/s, ${short(released)} records/s, bottleneck: ${limiting}, ${Math.round(peakMemoryBytes / 1e6)} MB peak memory`
}
