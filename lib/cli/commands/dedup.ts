/**
 * `kun-stream dedup`: removes duplicates from files of records, alone or in a pipe. Lines that are kept are written
 * byte for byte, in input order, as soon as they are decided; all messages go to stderr.
 */

import { basename, dirname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { EventLog } from '../../core/event-log.js'
import { dedupOptions, openDeduplicator, textsPath } from '../../dedup/index.js'
import { UsageError } from '../../errors.js'
import { grouped } from '../../language/grouped.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import { signaturePlan } from '../../run/stages/prepare.js'
import { closeAfter, closeAll } from '../../storage/close-all.js'
import { fencedFiles } from '../../storage/fenced-files.js'
import { makeDurableDirectory, nodeFiles } from '../../storage/files.js'
import { failureUnderLock } from '../../storage/lock/failure-under-lock.js'
import { lockRunDirectory, type RunLock } from '../../storage/lock/lock.js'
import { moveToNewInode } from '../../storage/new-inode.js'
import { planSigning } from '../../text/plan.js'
import { localFirstPool } from '../../workers/local-first.js'
import { workersOptions } from '../../workers/options.js'
import { dedupThreadCount } from '../../workers/thread-counts.js'
import { addCommand } from '../command-summaries.js'
import { type DedupCounts, dedupGraph } from '../dedup-graph.js'
import { type DedupInputFlags, dedupSource } from '../dedup-inputs.js'
import type { DedupInstructionsFlags } from '../dedup-instructions.js'
import { addHubSource } from '../hub-options.js'
import { addLogOptions, type LogFlags, warned, withLog } from '../log-file.js'
import { refuseInputAsOutput, rejectsOutput } from '../output-files.js'
import { collect } from '../recipe-options.js'
import { temporaryFolder } from '../temporary-folder.js'
import { countText } from '../terminal/bytes-text.js'
import { Output, ReaderGone, sayOnStderr } from '../terminal/output.js'
import { UnreadableRecords } from '../unreadable-records.js'

/** Bytes of the inputs below which everything is done in this thread: another one takes longer to start. */
const oneThreadBytesMax = 1024 * 1024
/** The same for standard input, whose size is not known: its first block. One that is nearly full is not the last. */
const firstBytesMax = 128 * 1024
const fullBlockBytes = 48 * 1024

interface DedupFlags extends DedupInputFlags, DedupInstructionsFlags, LogFlags {
  readonly on?: 'instruction'
  readonly threshold: string
  readonly rejects?: string
  readonly index?: string
  readonly threads: string
  readonly json?: boolean
}

export function registerDedup(program: Command): void {
  const command = addCommand(program, 'dedup').argument(
    '[files...]',
    'files or globs in any format that a recipe reads; - or nothing reads standard input',
  )
  addHubSource(command)
    .option('--threshold <similarity>', 'Jaccard of character 5-grams from which on a text is a duplicate', '0.8')
    .option('--text <field>', 'field of the text', 'text')
    .option('--id <field>', 'field of the id that rejects name; FILE:LINE without')
    .option('--rejects <file>', 'write what was dropped, and why, as JSON Lines')
    .option('--index <file>', 'keep an index: drops what earlier calls kept, remembers what this one keeps')
    .option('--threads <n>', 'worker threads; auto is one fewer than there are cores', 'auto')
    .addOption(
      new Option('--on <column>', 'remove rows of the run DIR with the same instruction; the best score stays').choices(
        ['instruction'],
      ),
    )
    .option('--json', 'print the summary as one JSON object, the last line of standard error')
    .option('--exact', 'with --on: only equal instructions are duplicates, not those that are alike', false)
    .option('--score <column>', 'with --on: column of the score', 'score')
    .option('--split <name>', 'with --on: split to read; all by default (may be repeated)', collect, [])
    .option('--out <file>', 'with --on: file to write, Parquet if it ends in .parquet, else JSON Lines', '-')
  addLogOptions(command).action(async (files: string[], flags: DedupFlags) => {
    refuseUnusedOptions(command, flags.on === undefined)
    await withLog('dedup', flags, async (log) => {
      try {
        const counts = await (flags.on === undefined ? dedupFiles(files, flags, log) : dedupRun(files, flags))
        log.info('dedup-ended', { ...counts })
        sayOnStderr(flags.json ? resultJson(counts) : summary(counts))
      } catch (error) {
        if (!(error instanceof ReaderGone)) throw error
      }
    })
  })
}

/** Options that only a run, or only files, have: silently unused, one would look for a file that is not there. */
const optionsOfRun = ['exact', 'score', 'split', 'out']
const optionsOfFiles = ['rejects', 'index', 'from']

/** @throws {UsageError} an option has no effect */
function refuseUnusedOptions(command: Command, readsFiles: boolean): void {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
  const unused = (readsFiles ? optionsOfRun : optionsOfFiles).find(isGiven)
  if (unused === undefined) return
  throw new UsageError(
    readsFiles
      ? say`--${unused} needs --on instruction; of files, what stays goes to standard output: redirect it with > FILE`
      : say`--${unused} cannot be combined with --on`,
  )
}

async function dedupRun(directories: readonly string[], flags: DedupFlags): Promise<DedupCounts> {
  const [directory] = directories
  if (directory === undefined || directories.length > 1) {
    throw new UsageError(say`--on reads one run directory, ${directories.length} were given`)
  }
  const { dedupInstructions } = await import('../dedup-instructions.js')
  const { rows, kept, exact, near } = await dedupInstructions(directory, flags)
  return { records: rows, kept, exact, near, unreadable: 0 }
}

async function dedupFiles(files: readonly string[], flags: DedupFlags, log: EventLog): Promise<DedupCounts> {
  const output = new Output(process.stdout)
  const options = dedupOptions.safeParse({ index: 'exact', near: { threshold: Number(flags.threshold) } })
  if (!options.success) throw new UsageError(say`--threshold is ${flags.threshold}: give a number from 0.5 to 0.98`)
  const threads = workersOptions.safeParse({ threads: flags.threads === 'auto' ? 'auto' : Number(flags.threads) })
  if (!threads.success) throw new UsageError(say`--threads is ${flags.threads}: give a number from 1, or auto`)
  const { source, storedBytes } = await dedupSource(files, flags, true)
  const isSmall = storedBytes !== null && storedBytes < oneThreadBytesMax
  await refuseInputAsOutput('-', files)
  const rejects = await rejectsOutput(flags.rejects, files)
  const counts: DedupCounts = { records: 0, kept: 0, exact: 0, near: 0, unreadable: 0 }
  const unreadable = new UnreadableRecords()
  const closings: (() => Promise<void>)[] = []
  let lock: RunLock | null = null
  try {
    const pool = localFirstPool({
      plan: planSigning(signaturePlan(options.data.near)),
      threads: threads.data.threads,
      ...(storedBytes === null
        ? { localBytesMax: firstBytesMax, fullBlockBytes }
        : { localBytesMax: isSmall ? oneThreadBytesMax : 0 }),
    })
    closings.unshift(() => pool.close())
    const dedupThreads = isSmall ? 0 : dedupThreadCount()
    const place = await indexPlace(flags.index, closings, warned(log))
    lock = place.lock
    const deduplicator = await openDeduplicator({
      ...{ options: options.data, directory: place.directory, threads: dedupThreads, onWarning: warned(log) },
      ...(place.lock !== null && { name: place.name, files: fencedFiles(nodeFiles, place.lock) }),
    })
    closings.unshift(() => deduplicator.close())
    log.info('dedup-opened', { index: flags.index ?? null, firstBlock: deduplicator.lastBlock + 1 })
    await dedupGraph({
      source,
      pool,
      deduplicator,
      firstBlock: deduplicator.lastBlock + 1,
      output,
      rejects,
      counts,
      unreadable,
    }).run().done
  } catch (error) {
    return closeAfter(await failureUnderLock(lock, error), closings)
  }
  await closeAll(closings)
  // Standard input may be empty: that of a filter before it.
  if (counts.records === 0 && files.length > 0 && !files.includes('-')) {
    throw new UsageError(say`${listText(files)}: no record; the files are empty`)
  }
  const unread = unreadable.all(counts.records)
  if (unread !== null) throw new UsageError(say`--text is ${flags.text}: ${unread}`)
  return counts
}

type IndexPlace =
  | { readonly directory: string; readonly lock: null }
  | { readonly directory: string; readonly name: string; readonly lock: RunLock }

/** Locks the index at `path`, or makes a folder for a temporary one. Prepends what undoes it to `closings`. */
async function indexPlace(
  path: string | undefined,
  closings: (() => Promise<void>)[],
  warn: (message: string) => void,
): Promise<IndexPlace> {
  if (path === undefined) {
    const temporary = temporaryFolder('dedup')
    closings.unshift(async () => temporary.remove())
    return { directory: temporary.path, lock: null }
  }
  const file = resolve(path)
  const lock = await lockIndex(file, warn)
  closings.unshift(() => lock.release())
  return { directory: dirname(file), name: basename(file), lock }
}

/** Acquires the lock of an index, FILE.lock beside it. */
async function lockIndex(path: string, warn: (message: string) => void): Promise<RunLock> {
  const [directory, name] = [dirname(path), basename(path)]
  await makeDurableDirectory(nodeFiles, directory)
  const use = { name: `${name}.lock`, does: `uses the index ${path}`, command: 'dedup' }
  const lock = await lockRunDirectory(directory, { use, onEvent: warn })
  try {
    if (lock.isTakenOver) {
      const files = fencedFiles(nodeFiles, lock)
      for (const log of [path, textsPath(path)]) await moveToNewInode(files, log)
      await lock.settle()
    }
  } catch (error) {
    return closeAfter(error, [() => lock.release()])
  }
  return lock
}

function resultJson(counts: DedupCounts): string {
  return JSON.stringify({ command: 'dedup', code: 0, reason: 'done', ...counts })
}

function summary({ records, kept, exact, near, unreadable }: DedupCounts): string {
  const duplicates = say`${countText(exact, 'exact duplicate')}, ${countText(near, 'near duplicate')}`
  const text = say`${countText(records, 'record')}: ${grouped(kept)} kept, ${duplicates}`
  return unreadable === 0 ? text : say`${text}, ${grouped(unreadable)} unreadable (--rejects FILE says which)`
}
