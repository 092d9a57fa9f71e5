/** `kun-stream tail`: shows the latest pairs of a run, with those that are not committed yet, and follows it. */
import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import { say } from '../../language/say.js'
import { readUncommitted } from '../../run/latest-file.js'
import type { LatestRecord } from '../../run/latest-records.js'
import { lockHolder } from '../../storage/lock/lock.js'
import { addCommand } from '../command-summaries.js'
import { inspectInThread } from '../inspect-thread.js'
import { wholeNumber } from '../option-numbers.js'
import { mustBeRunDirectory } from '../run-directory-argument.js'
import { latestJson, latestText } from '../terminal/latest-text.js'
import { Output, ReaderGone, sayOnStderr } from '../terminal/output.js'
import { terminalText } from '../terminal/terminal-text.js'

interface TailFlags {
  readonly number: number
  readonly follow?: boolean
  readonly rejects?: boolean
  readonly full?: boolean
  readonly json?: boolean
}

/** The run replaces latest.json every two seconds. */
const followEveryMs = 1000
/** Ids that are remembered as shown: more than latest.json holds. */
const shownMax = 1000

export function registerTail(program: Command): void {
  addCommand(program, 'tail')
    .argument('<dir>', say`run directory`)
    .option('-n, --number <pairs>', say`pairs to show`, wholeNumber(1), 5)
    .option('-f, --follow', say`show each further pair, until the run ends`)
    .option('--rejects', say`show rejects and their reasons, in place of pairs`)
    .option('--full', say`do not truncate long texts`)
    .option('--json', say`print one JSON object per line`)
    .action(async (directory: string, flags: TailFlags) => {
      await mustBeRunDirectory(directory)
      try {
        await tail(directory, flags)
      } catch (error) {
        // The pager was closed.
        if (!(error instanceof ReaderGone)) throw error
      }
    })
}

async function tail(directory: string, flags: TailFlags): Promise<void> {
  const { number, follow = false, rejects = false, full = false, json = false } = flags
  const output = new Output(process.stdout)
  const print = (text: string) => output.write(Buffer.from(terminalText(`${text}\n`)))
  const textOf = (record: LatestRecord): string =>
    json ? latestJson(record) : latestText(record, Math.min(process.stdout.columns ?? 80, 120), full)
  const shown = new Set<string>()
  const uncommitted = async (): Promise<readonly LatestRecord[]> => {
    const found = await readUncommitted(directory)
    const records = found === null ? [] : rejects ? found.latestRejects : found.latestPairs
    return records.filter(({ id }) => !shown.has(id))
  }
  const printNew = async (records: readonly LatestRecord[]): Promise<void> => {
    for (const record of records) {
      shown.add(record.id)
      await print(textOf(record))
    }
    for (const id of shown) {
      if (shown.size <= shownMax) break
      shown.delete(id)
    }
  }
  const first = (await uncommitted()).slice(-number)
  const committed = { number: number - first.length, last: true, rejects, full, json }
  let rows = 0
  if (committed.number > 0) {
    for await (const text of inspectInThread(directory, committed)) {
      rows++
      await print(text)
    }
  }
  await printNew(first)
  if (!follow) {
    if (rows + first.length === 0) sayOnStderr(await emptyText(directory, rejects))
    return
  }
  let seen = await isRunning(directory)
  if (!seen) sayOnStderr(say`no run is in progress in ${directory}: waiting for one; Ctrl-C ends this`)
  for (;;) {
    await setTimeout(followEveryMs)
    const running = await isRunning(directory)
    await printNew(await uncommitted())
    if (seen && !running) {
      sayOnStderr(say`the run in ${directory} has ended`)
      return
    }
    seen ||= running
  }
}

async function isRunning(directory: string): Promise<boolean> {
  return (await lockHolder(directory)) !== null
}

async function emptyText(directory: string, rejects: boolean): Promise<string> {
  if (!(await isRunning(directory))) {
    return rejects ? say`${directory} has no rejects` : say`${directory} has no pairs; see why with --rejects`
  }
  return say`nothing is finished yet; the run is in progress: kun-stream status ${directory}, or tail with -f`
}
