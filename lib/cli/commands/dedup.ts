/**
 * `kun-stream dedup`: duplicates out of JSON Lines, alone or in a pipe. The lines that stay come out byte for byte, in
 * order, as they are decided; everything else that is said goes to stderr.
 */

import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ownValue } from '../../core/dictionary.js'
import { type Duplicate, dedupOptions, openDeduplicator, signedBlock, textsPath } from '../../dedup/index.js'
import { UsageError } from '../../errors.js'
import { closeAfter, closeAll } from '../../storage/closing.js'
import { fencedFiles } from '../../storage/fenced-files.js'
import { makeDurableDirectory, nodeFiles } from '../../storage/files.js'
import { lockRunDirectory, type RunLock } from '../../storage/lock/lock.js'
import { moveToNewInode } from '../../storage/new-inode.js'
import { jsonFault } from '../../text/json-fault.js'
import { createSigner } from '../../text/signature.js'
import { type Line, lineBatches } from '../lines.js'
import { temporaryFolder } from '../temporary-folder.js'
import { counted } from '../terminal/bytes-text.js'
import { fileOutput, Output, ReaderGone, sayOnStderr } from '../terminal/output.js'
import { UnreadableRecords } from '../unreadable-records.js'

interface DedupFlags {
  readonly threshold: string
  readonly text: string
  readonly id?: string
  readonly rejects?: string
  readonly index?: string
}

export function registerDedup(program: Command): void {
  program
    .command('dedup')
    .description('remove exact and near duplicates from JSON Lines; the lines that stay come out as they went in')
    .argument('[files...]', 'JSON Lines, .gz too; - or nothing reads standard input')
    .option('--threshold <similarity>', 'Jaccard of character 5-grams from which on a text is a duplicate', '0.8')
    .option('--text <field>', 'field of the text', 'text')
    .option('--id <field>', 'field of the id that rejects name; FILE:LINE without')
    .option('--rejects <file>', 'write what was dropped, and why, as JSON Lines')
    .option('--index <file>', 'keep the index: drops what earlier calls kept, remembers what this one keeps')
    .action(async (files: string[], flags: DedupFlags) => {
      const output = new Output(process.stdout)
      try {
        const counts = await dedupLines(files, flags, output)
        sayOnStderr(summary(counts))
      } catch (error) {
        if (!(error instanceof ReaderGone)) throw error
      }
    })
}

export interface DedupCounts {
  lines: number
  kept: number
  exact: number
  near: number
  unreadable: number
}

async function dedupLines(files: readonly string[], flags: DedupFlags, output: Output): Promise<DedupCounts> {
  const options = dedupOptions.safeParse({ index: 'exact', near: { threshold: Number(flags.threshold) } })
  if (!options.success) throw new UsageError(`--threshold is ${flags.threshold}: give a number from 0.5 to 0.98`)
  const rejects = flags.rejects === undefined ? null : await fileOutput(flags.rejects)
  const temporary = flags.index === undefined ? temporaryFolder('dedup') : null
  const path = resolve(flags.index ?? join(temporary?.path ?? '', 'index'))
  const unreadable = new UnreadableRecords()
  const counts: DedupCounts = { lines: 0, kept: 0, exact: 0, near: 0, unreadable: 0 }
  const lock = temporary === null ? await lockIndex(path) : null
  const deduplicator = await openDeduplicator({
    options: options.data,
    directory: dirname(path),
    name: basename(path),
    onWarning: sayOnStderr,
    ...(lock && { files: fencedFiles(nodeFiles, lock) }),
  }).catch((error: unknown) => closeAfter(error, lock === null ? [] : [() => lock.release()]))
  try {
    const signer = await createSigner()
    let block = deduplicator.lastBlock
    let owesNewline = false
    for await (const lines of lineBatches(files)) {
      const records = lines.map((line) => readRecord(line, flags)).filter((record) => record !== null)
      const readable = records.filter((record) => record.text !== null)
      const texts = readable.map((record) => record.text as string)
      const verdicts = await deduplicator.decide(
        signedBlock(++block, texts, signer),
        readable.map((record) => record.id),
      )
      const verdictOf = new Map(readable.map((record, row) => [record, verdicts[row] ?? null]))
      const kept: Buffer[] = []
      const dropped: string[] = []
      for (const record of records) {
        const verdict = verdictOf.get(record)
        count(counts, verdict)
        if (verdict === undefined) unreadable.add(record.problem)
        if (verdict !== null) {
          dropped.push(`${JSON.stringify(rejectOf(record, verdict))}\n`)
          continue
        }
        if (owesNewline) kept.push(newline)
        kept.push(record.line.bytes)
        owesNewline = record.line.bytes.at(-1) !== 10
      }
      await rejects?.write(Buffer.from(dropped.join('')))
      await output.write(Buffer.concat(kept))
    }
    await output.end()
    await rejects?.end()
    const unread = unreadable.all(counts.lines)
    if (unread !== null) throw new UsageError(`--text is ${flags.text}: ${unread}`)
  } finally {
    await closeAll([() => deduplicator.close(), async () => lock?.release(), async () => temporary?.remove()])
  }
  return counts
}

/** Lock of an index, FILE.lock beside it: one call at a time. */
async function lockIndex(path: string): Promise<RunLock> {
  const [directory, name] = [dirname(path), basename(path)]
  await makeDurableDirectory(nodeFiles, directory)
  const use = { name: `${name}.lock`, does: `uses the index ${path}`, command: 'dedup' }
  const lock = await lockRunDirectory(directory, { use, onEvent: sayOnStderr })
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

const newline = Buffer.from('\n')

interface TextRecord {
  readonly line: Line
  readonly id: string
  /** Null where the line is no JSON or has no text: `problem` says which. */
  readonly text: string | null
  readonly problem: string
}

/** Null for an empty line. */
function readRecord(line: Line, flags: DedupFlags): TextRecord | null {
  const json = line.bytes.toString('utf8').trim()
  if (json === '') return null
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { line, id: line.name, text: null, problem: `not JSON: ${jsonFault(json)?.what ?? 'it cannot be read'}` }
  }
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const named = flags.id === undefined ? undefined : ownValue(fields, flags.id)
  const id = typeof named === 'string' || typeof named === 'number' ? String(named) : line.name
  const text = ownValue(fields, flags.text)
  if (typeof text === 'string') return { line, id, text, problem: '' }
  return { line, id, text: null, problem: `no text in the field '${flags.text}'; fields: ${fieldsText(fields)}` }
}

/** Names of fields that a message shows. */
const fieldsShownMax = 12

function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(fields)
  const shown = names.slice(0, fieldsShownMax).map((name) => name.slice(0, 60))
  return shown.length === 0 ? 'none' : `${shown.join(', ')}${names.length > fieldsShownMax ? ', …' : ''}`
}

function rejectOf(record: TextRecord, verdict: Duplicate | undefined) {
  const { id, line, problem } = record
  if (verdict === undefined) return { id, at: line.name, reason: 'unreadable', detail: problem }
  return { id, at: line.name, ...verdict }
}

function count(counts: DedupCounts, verdict: Duplicate | null | undefined): void {
  counts.lines++
  if (verdict === null) counts.kept++
  else if (verdict === undefined) counts.unreadable++
  else if (verdict.reason === 'exact-duplicate') counts.exact++
  else counts.near++
}

function summary({ lines, kept, exact, near, unreadable }: DedupCounts): string {
  const duplicates = `${counted(exact, 'exact duplicate')}, ${counted(near, 'near duplicate')}`
  const text = `${counted(lines, 'line')}: ${kept.toLocaleString('en-US')} kept, ${duplicates}`
  return unreadable === 0
    ? text
    : `${text}, ${unreadable.toLocaleString('en-US')} unreadable (--rejects FILE says which)`
}
