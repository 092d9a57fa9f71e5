/**
 * Opens deduplication on a directory: settings checked, the index built again from the log as far as it is committed,
 * earlier runs taken in. What a verdict is, deduplicator.ts decides.
 */

import { basename, join } from 'node:path'
import { CorruptFileError, RunMismatchError, SourceNotFoundError } from '../errors.js'
import { type AppendLog, openAppendLog, readAppendLog } from '../storage/append-log.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import { errnoOf, type FileLayer, makeDurableDirectory, nodeFiles } from '../storage/files.js'
import { compareHeaders, corrupt, decodeHeader, frameHeadBytes, scanFrames } from '../storage/frames.js'
import { dedupFolder, dedupLogName, dedupTextsSuffix } from '../storage/run-layout.js'
import { createSigner } from '../text/signature.js'
import {
  type BlockMark,
  DocumentDeduplicator,
  type KeptIndex,
  makeIndex,
  type OpenedDeduplicator,
} from './deduplicator.js'
import { decodeKept, type KeptRow } from './kept-frames.js'
import { earlierTexts, logTexts, type TextSource } from './kept-texts.js'
import { bandingOf, type DedupOptions, type IndexKind, indexKindFor } from './options.js'

export interface OpenDeduplicatorOptions {
  readonly options: DedupOptions
  /** Where the log is, `dedup/` of a run; made when missing. */
  readonly directory: string
  /** Name of the log in it, 'index' by default; the texts stand beside it as NAME.texts. */
  readonly name?: string
  readonly files?: FileLayer
  /** Where the last cut left the log: what lies beyond is cut. 0 starts anew; absent: all that is whole. */
  readonly committedLogBytes?: number
  /** For 'auto' and for the room of a Bloom index; of the data or the recipe, never of the machine. */
  readonly documentsExpected?: number
  /** Told what was lost and what to do; a process warning by default. */
  readonly onWarning?: (message: string) => void
}

/**
 * A deduplicator that goes on after the last block of its log.
 *
 * Where the log is damaged before `committedLogBytes`, it is cut there: `lostBytes` is not 0 then, and the blocks after
 * `lastBlock` must be decided once more, in order, before anything is passed over.
 * @throws {RunMismatchError} the log, or that of an earlier run, was made with other settings: the message has the difference
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
  const keepsTexts = kind === 'exact' && options.near !== false
  let untilBytes = Math.min(committed, sizeBytes)
  for (;;) {
    const closings: (() => Promise<void>)[] = []
    try {
      const index = makeIndex(options, kind, documentsExpected)
      const sources = await takeEarlierRuns(index, options, header, files, onWarning)
      for (const { texts } of sources) closings.push(async () => texts?.close())
      const ownFirst = index.count
      const marks = await restore(index, path, header, { files, untilBytes, refusesDamage: !wasCommitted })
      const last = marks[marks.length - 1]
      const texts = keepsTexts ? await openTexts(files, path, header, last?.textsBytes ?? 0) : null
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
      const ngram = options.near !== false && { ngram: options.near.ngram }
      const signer = await createSigner({ minima: 0, ...ngram })
      const lastBlock = last?.block ?? -1
      return new DocumentDeduplicator({ options, index, sources, log, texts, signer, lastBlock, lostBytes })
    } catch (error) {
      return closeAfter(error, closings)
    }
  }
}

/** How signatures are made: of two ways they cannot be compared. */
const sketch = 'fast-similarity-1'

/** Everything that the log's content depends on; compared when it is opened again. */
function headerOf(options: DedupOptions, kind: IndexKind): Readonly<Record<string, unknown>> {
  const { exact, near } = options
  const settings = near === false ? false : { ...near, ...bandingOf(near, kind), sketch }
  return { of: 'dedup', exact, index: kind, near: settings }
}

/** Builds the index from the log; returns where each whole block ends in both logs. */
async function restore(
  index: KeptIndex,
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
  let rows: KeptRow[] = []
  try {
    const onFrame = (payload: Uint8Array, offset: number): void => {
      if (offset === 0) {
        compareHeaders(decodeHeader(payload, path), header, path)
        return
      }
      const kept = decodeKept(payload)
      rows.push(...kept.rows)
      if (kept.more) return
      for (const row of rows) index.keep(row)
      rows = []
      const endBytes = offset + frameHeadBytes + payload.length
      marks.push({ block: kept.block, endBytes, textsBytes: kept.textsBytes })
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

/** The texts log cut to the length that the dedup log says; the offset of the damage where it is not whole. */
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

/** Where a replay is not possible, no document in a valid frame may be lost. */
async function mustBeTorn(files: FileLayer, path: string): Promise<void> {
  const { damage } = await readAppendLog({ files, path }, () => undefined)
  if (damage !== null) throw corrupt(path, damage.offset, `${damage.bytes} bytes are, and valid frames follow`)
}

export function textsPath(path: string): string {
  return path + dedupTextsSuffix
}

/** Log length at the last block whose texts are whole. */
function lastBefore(marks: readonly BlockMark[], damageOffset: number): number {
  return marks.findLast((mark) => mark.textsBytes <= damageOffset)?.endBytes ?? 0
}

function lossMessage(path: string, lostBytes: number, lastBlock: number, wasCommitted: boolean): string {
  const cut = `${path} or its texts were damaged: ${lostBytes} bytes at the end were cut, the last whole block is ${lastBlock}.`
  return wasCommitted ? `${cut} They had been committed: the blocks after it are decided again from the input.` : cut
}

export interface EarlierTexts {
  readonly firstDocument: number
  readonly texts: TextSource | null
}

/** Documents of earlier runs come first, in the order given: they are the ones that stay. */
async function takeEarlierRuns(
  index: KeptIndex,
  options: DedupOptions,
  header: Readonly<Record<string, unknown>>,
  files: FileLayer,
  onWarning: (message: string) => void,
): Promise<EarlierTexts[]> {
  const sources: EarlierTexts[] = []
  for (const given of options.against) {
    const path = await findLog(files, given)
    const firstDocument = index.count
    await takeLog(index, path, header, files)
    const hasTexts = (await files.sizeBytes(textsPath(path))) !== null
    const wantsTexts = options.near !== false && header.index === 'exact'
    if (wantsTexts && !hasTexts) {
      onWarning(`${textsPath(path)} is not there: near-duplicates of what ${given} kept are told by estimate alone.`)
    }
    sources.push({ firstDocument, texts: hasTexts ? await earlierTexts(files, textsPath(path)) : null })
  }
  return sources
}

async function takeLog(
  index: KeptIndex,
  path: string,
  header: Readonly<Record<string, unknown>>,
  files: FileLayer,
): Promise<void> {
  const file = await files.open(path, 'read')
  try {
    const { damage } = await scanFrames(file, (await files.sizeBytes(path)) ?? 0, path, (payload, offset) => {
      if (offset === 0) return checkComparable(decodeHeader(payload, path), header, path)
      for (const row of decodeKept(payload).rows) index.keep(row)
    })
    if (damage !== null) {
      throw new CorruptFileError(
        `dedup.against: ${path} is damaged at byte ${damage.offset}, so that documents of that run would not be known. ` +
          'Start that run again, which repairs it from its input, or leave it out.',
        { details: { path, offset: damage.offset } },
      )
    }
  } finally {
    await file.close()
  }
}

/** Bands and kind of index may differ between runs; what a signature means may not. */
function checkComparable(
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
  path: string,
) {
  if (wanted.near === false) return
  const [was, is] = [found.near, wanted.near].map((near) => (near === false ? {} : near) as Record<string, unknown>)
  for (const key of ['ngram', 'minima', 'seed', 'sketch']) {
    if (was?.[key] === is?.[key]) continue
    throw new RunMismatchError(
      `dedup.against: ${path} was made with near.${key} ${String(was?.[key] ?? 'absent')}, this run has ${String(is?.[key])}: ` +
        'use the same, or leave it out.',
      { details: { path, key } },
    )
  }
}

/** A run directory, its dedup directory, or the log itself. */
export async function findLog(files: FileLayer, given: string): Promise<string> {
  const names = await list(files, given)
  if (names === null) return given
  if (names.includes(dedupLogName)) return join(given, dedupLogName)
  if (names.includes(dedupFolder)) return join(given, dedupFolder, dedupLogName)
  throw new SourceNotFoundError(
    `dedup.against: ${given} has no ${basename(given) === dedupFolder ? 'index' : 'dedup/index'}: give the directory of a run that removed duplicates, or its index file`,
  )
}

/** Null for a file. */
async function list(files: FileLayer, path: string): Promise<string[] | null> {
  try {
    return await files.list(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return null
    throw error
  }
}
