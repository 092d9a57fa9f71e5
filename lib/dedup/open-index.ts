/**
 * Opens deduplication on a directory: checks the settings, adds the documents of earlier runs, and rebuilds the index from
 * the committed part of the log. Verdicts are in deduplicator.ts.
 */

import { basename, join } from 'node:path'
import { isRecord } from '../core/objects.js'
import { CorruptFileError, RunMismatchError, SourceNotFoundError } from '../errors.js'
import { say } from '../language/say.js'
import { type AppendLog, openAppendLog, readAppendLog } from '../storage/append-log.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import { errnoOf, type FileLayer, makeDurableDirectory, nodeFiles } from '../storage/files.js'
import { compareHeaders, corrupt, decodeHeader, frameHeadBytes, scanFrames } from '../storage/frames.js'
import { dedupFolder, dedupLogName, dedupTextsSuffix } from '../storage/run-layout.js'
import type { ReadText } from './candidate-settler.js'
import { type Decider, openDecider } from './decider.js'
import { type BlockMark, DocumentDeduplicator, type OpenedDeduplicator, type TextSources } from './deduplicator.js'
import { keptHead } from './kept-frames.js'
import { earlierTexts, logTexts } from './kept-texts.js'
import { bandingOf, type DedupOptions, documentsExpectedDefault, type IndexKind, indexKindFor } from './options.js'
import { type DecidePlan, keepsTexts } from './plan.js'
import { VerdictDecider, type VerdictsOf } from './verdict-decider.js'

export interface OpenDeduplicatorOptions {
  readonly options: DedupOptions
  /** Directory of the log, `dedup/` of a run; created when missing. */
  readonly directory: string
  /** Name of the log, 'index' by default; the texts log is NAME.texts. */
  readonly name?: string
  readonly files?: FileLayer
  /** Length of the log at the last cut: bytes after it are removed. 0 starts over; by default all complete blocks are used. */
  readonly committedLogBytes?: number
  /** Determines 'auto' and the capacity of a Bloom index; must depend on the data or the recipe, not on the machine. */
  readonly documentsExpected?: number
  /**
   * Threads: 0, the default, is the calling one, 1 another one, 2 a further one for the log, those beyond it divide the
   * tables of the index. The result is the same.
   */
  readonly threads?: number
  /** Verdicts that were decided elsewhere, in place of an index. */
  readonly verdictsOf?: VerdictsOf
  /** Called with a message about lost data; emits a process warning by default. */
  readonly onWarning?: (message: string) => void
}

/**
 * Opens a deduplicator that continues after the last block of its log.
 *
 * If the log is damaged before `committedLogBytes`, it is truncated there: `lostBytes` is then not 0, and the blocks after
 * `lastBlock` must be decided again, in order, before any other.
 * @throws {RunMismatchError} the log, or that of an earlier run, was made with other settings; the message has the difference
 * @throws {SourceNotFoundError} a file that `against` names does not exist
 */
export async function openDeduplicator(given: OpenDeduplicatorOptions): Promise<OpenedDeduplicator> {
  const { options, directory, name = dedupLogName, files = nodeFiles, documentsExpected } = given
  const onWarning = given.onWarning ?? ((message: string) => process.emitWarning(message, 'DedupWarning'))
  const kind = indexKindFor(options, documentsExpected)
  const header = headerOf(options, kind)
  await makeDurableDirectory(files, directory)
  const path = join(directory, name)
  const sizeBytes = (await files.sizeBytes(path)) ?? 0
  const committed = given.committedLogBytes ?? sizeBytes
  const wasCommitted = given.committedLogBytes !== undefined
  const plan = planOf(options, kind, documentsExpected)
  let untilBytes = Math.min(committed, sizeBytes)
  for (;;) {
    const closings: (() => Promise<void>)[] = []
    try {
      const sources: TextSources = []
      const decider =
        given.verdictsOf === undefined
          ? openDecider(plan, given.threads ?? 0, textReader(sources))
          : new VerdictDecider(plan, given.verdictsOf)
      closings.push(() => decider.close())
      const ownFirst = await addEarlierRuns(decider, sources, options, header, files, onWarning)
      for (const { texts } of sources) closings.push(async () => texts?.close())
      const marks = await restore(decider, path, header, { files, untilBytes, refusesDamage: !wasCommitted })
      const last = marks[marks.length - 1]
      const texts = keepsTexts(plan) ? await openTexts(files, path, header, last?.textsBytes ?? 0) : null
      if (typeof texts === 'number') {
        if (!wasCommitted) await mustBeTorn(files, textsPath(path))
        untilBytes = lastBefore(marks, texts)
        await closeAll(closings)
        continue
      }
      if (texts !== null) closings.push(() => texts.close())
      const log = await openAppendLog({ files, path, header, fromBytes: last?.endBytes ?? 0 })
      closings.push(() => log.close())
      const lostBytes = last === undefined && committed <= log.bytes ? 0 : Math.max(0, committed - log.bytes)
      if (lostBytes > 0) onWarning(lossMessage(path, lostBytes, last?.block ?? -1, wasCommitted))
      if (texts !== null) sources.push({ firstDocument: ownFirst, texts: logTexts(texts) })
      const paths = sources.map(({ firstDocument, texts }) => ({ firstDocument, path: texts?.path ?? null }))
      const lengths = { logBytes: log.bytes, textsBytes: texts?.bytes ?? 0 }
      await decider.begin(lengths, files.isFileSystem === true ? paths : null)
      const lastBlock = last?.block ?? -1
      return new DocumentDeduplicator({ options, decider, sources, log, texts, lastBlock, lostBytes })
    } catch (error) {
      return closeAfter(error, closings)
    }
  }
}

/** Name of the algorithm of signatures: those of two algorithms cannot be compared. */
const sketch = 'fast-similarity-1'

/** Header of the log: all settings that determine its content, compared when it is opened again. */
function headerOf(options: DedupOptions, kind: IndexKind): Readonly<Record<string, unknown>> {
  const { exact, near } = options
  const settings = near === false ? false : { ...near, ...bandingOf(near, kind), sketch }
  return { of: 'dedup', exact, index: kind, near: settings }
}

/** Returns what decides duplicates with these options, whatever the number of documents. */
export function exactPlanOf(options: DedupOptions): DecidePlan {
  return planOf(options, 'exact')
}

function planOf(options: DedupOptions, kind: IndexKind, documentsExpected = documentsExpectedDefault): DecidePlan {
  const { exact, near } = options
  const banding = near === false ? { bands: 0, rows: 1 } : bandingOf(near, kind)
  return { kind, exact, near, banding, documentsExpected }
}

/** Reads texts of kept documents from the source that has them. */
function textReader(sources: TextSources): ReadText {
  return (document, offset) => {
    const source = sources.findLast(({ firstDocument }) => firstDocument <= document)
    return source?.texts?.read(offset) ?? null
  }
}

/** Rebuilds the index from the log; returns the lengths of both logs after each complete block. */
async function restore(
  decider: Decider,
  path: string,
  header: Readonly<Record<string, unknown>>,
  {
    files,
    untilBytes,
    refusesDamage,
  }: { readonly files: FileLayer; readonly untilBytes: number; readonly refusesDamage: boolean },
): Promise<BlockMark[]> {
  const marks: BlockMark[] = []
  if (untilBytes === 0) return marks
  const file = await files.open(path, 'read')
  try {
    const onFrame = (payload: Uint8Array, offset: number): void | Promise<void> => {
      if (offset === 0) {
        compareHeaders(decodeHeader(payload, path), header, path)
        return
      }
      const { block, more, textsBytes } = keptHead(payload)
      if (!more) marks.push({ block, endBytes: offset + frameHeadBytes + payload.length, textsBytes })
      return decider.restore(payload)
    }
    if (refusesDamage) await mustBeTorn(files, path)
    // Later verdicts depend on earlier ones: blocks after damage are replayed in order.
    await scanFrames(file, untilBytes, path, onFrame, { stopAtDamage: true })
  } catch (error) {
    // The header is damaged, so no frame was used: treat the log as missing.
    if (refusesDamage || !(error instanceof CorruptFileError && error.details.offset === 0)) throw error
  } finally {
    await file.close()
  }
  return marks
}

/** Opens the texts log, truncated to the length that the dedup log states; returns the offset of the damage if it has any. */
async function openTexts(
  files: FileLayer,
  path: string,
  header: Readonly<Record<string, unknown>>,
  textsBytes: number,
): Promise<AppendLog | number> {
  try {
    return await openAppendLog({
      files,
      path: textsPath(path),
      header: { ...header, of: 'dedup texts' },
      fromBytes: textsBytes,
    })
  } catch (error) {
    if (!(error instanceof CorruptFileError) || textsBytes === 0) throw error
    return Number(error.details.offset ?? 0)
  }
}

/** Accepts a torn tail only. Without a replay, documents in valid frames after damage would be lost. */
async function mustBeTorn(files: FileLayer, path: string): Promise<void> {
  const { damage } = await readAppendLog({ files, path }, () => undefined)
  if (damage !== null) throw corrupt(path, damage.offset, `${damage.bytes} bytes are, and valid frames follow`)
}

export function textsPath(path: string): string {
  return path + dedupTextsSuffix
}

/** Returns the length of the log after the last block whose texts are complete. */
function lastBefore(marks: readonly BlockMark[], damageOffset: number): number {
  return marks.findLast((mark) => mark.textsBytes <= damageOffset)?.endBytes ?? 0
}

function lossMessage(path: string, lostBytes: number, lastBlock: number, wasCommitted: boolean): string {
  const cut = `${path} or its texts were damaged: ${lostBytes} bytes at the end were removed, the last complete block is ${lastBlock}.`
  return wasCommitted ? `${cut} They had been committed: the blocks after it are decided again from the input.` : cut
}

/**
 * Adds the documents of earlier runs, in the given order, before those of this run: the earliest document is kept.
 * Returns their number.
 */
async function addEarlierRuns(
  decider: Decider,
  sources: TextSources,
  options: DedupOptions,
  header: Readonly<Record<string, unknown>>,
  files: FileLayer,
  onWarning: (message: string) => void,
): Promise<number> {
  let documents = 0
  for (const given of options.against) {
    const path = await findLog(files, given)
    const firstDocument = documents
    documents += await addLog(decider, path, header, files)
    const hasTexts = (await files.sizeBytes(textsPath(path))) !== null
    const wantsTexts = options.near !== false && header.index === 'exact'
    if (wantsTexts && !hasTexts) {
      onWarning(`${textsPath(path)} is missing: near-duplicates of what ${given} kept are found by estimate alone.`)
    }
    sources.push({ firstDocument, texts: hasTexts ? await earlierTexts(files, textsPath(path)) : null })
  }
  return documents
}

/** Returns the number of documents. */
async function addLog(
  decider: Decider,
  path: string,
  header: Readonly<Record<string, unknown>>,
  files: FileLayer,
): Promise<number> {
  let documents = 0
  const file = await files.open(path, 'read')
  try {
    const { damage } = await scanFrames(file, (await files.sizeBytes(path)) ?? 0, path, (payload, offset) => {
      if (offset === 0) return checkComparable(decodeHeader(payload, path), header, path)
      documents += keptHead(payload).rows
      return decider.restore(payload)
    })
    if (damage !== null) {
      throw new CorruptFileError(
        say`dedup.against: ${path} is damaged at byte ${damage.offset}, so documents of that run would be
          unknown. Resume that run, which repairs it from its input, or remove the entry.`,
        { details: { path, offset: damage.offset } },
      )
    }
  } finally {
    await file.close()
  }
  return documents
}

/** Bands and kind of index may differ between runs; the settings of signatures may not. */
function checkComparable(
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
  path: string,
) {
  if (wanted.near === false) return
  const [was, is] = [found.near, wanted.near].map((near) => (isRecord(near) ? near : {}))
  for (const key of ['ngram', 'minima', 'seed', 'sketch']) {
    if (was?.[key] === is?.[key]) continue
    throw new RunMismatchError(
      say`dedup.against: ${path} was made with near.${key} ${String(was?.[key] ?? 'absent')}, this run has
        ${String(is?.[key])}: use the same, or remove the entry.`,
      { details: { path, key } },
    )
  }
}

/** Finds the log of a run directory, of its dedup directory, or the log itself. */
export async function findLog(files: FileLayer, given: string): Promise<string> {
  const names = await list(files, given)
  if (names === null) return given
  if (names.includes(dedupLogName)) return join(given, dedupLogName)
  if (names.includes(dedupFolder)) return join(given, dedupFolder, dedupLogName)
  throw new SourceNotFoundError(
    say`dedup.against: ${given} has no ${basename(given) === dedupFolder ? 'index' : 'dedup/index'}: give
      the directory of a run that removed duplicates, or its index file`,
  )
}

/** Returns null for a file. */
async function list(files: FileLayer, path: string): Promise<string[] | null> {
  try {
    return await files.list(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return null
    throw error
  }
}
