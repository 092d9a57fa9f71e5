/**
 * Prepares a block in a worker: decode, clean, filter, chunk, count, sign, pack. This file has the order of the steps and
 * keeps the accounting: documents = those with chunks + those rejected as a whole, and every chunk ordinal is in the
 * columns or in the rejects.
 */

import type { Block, PreparedBlock, PrepareReject } from './block.js'
import { chunkText } from './chunk.js'
import { ChunkPacker } from './chunk-packer.js'
import { type Cleaner, type CleanText, cleanString, createCleaner } from './clean.js'
import { codesOf, codesToString } from './code-units.js'
import { ColumnsBuilder } from './columns-builder.js'
import { ContaminationSearch } from './contamination.js'
import { applyCustomFilter, customDetail, type LoadedFilter, loadCustomFilter } from './custom.js'
import { type Document, isFault, RecordReader } from './decode.js'
import { excerptOf } from './excerpt.js'
import { createTextMeters, filterText, type TextMeters } from './filters.js'
import { PersonalData } from './personal/documents.js'
import type { PreparePlan } from './plan.js'
import type { QualityOptions } from './quality-options.js'
import { type RecordPlace, RecordPlaces } from './records.js'
import type { ScreenClassifier } from './screen/classifier.js'
import { makeSigner, type Signer } from './signature.js'
import { TextMemory } from './text-memory.js'
import { repeatsTitle, titleCharsMax, withoutSiteName } from './titles.js'
import { loadTokenCounter, type TokenCounter } from './tokens.js'
import { makeWellFormed } from './well-formed.js'

/** Tables, buffers and filters of a thread, which prepares one block at a time. */
export interface Preparer {
  readonly reader: RecordReader
  readonly signer: Signer
  readonly columns: ColumnsBuilder
  /** Null if texts are signed unchanged. */
  readonly text: TextStages | null
}

interface TextStages {
  readonly plan: PreparePlan
  /** Bounds for the open block. */
  quality: QualityOptions
  readonly clean: Cleaner
  readonly meters: TextMeters
  readonly filters: readonly LoadedFilter[]
  readonly personal: PersonalData
  readonly countTokens: TokenCounter | null
  readonly packer: ChunkPacker
}

/** What a preparer loads: files, and modules with filters. */
interface LoadedParts {
  readonly countTokens: TokenCounter | null
  readonly screen: ScreenClassifier | null
  readonly filters: readonly LoadedFilter[]
}

/**
 * @throws {CustomFilterError} a filter does not load
 * @throws {InvalidOptionError} the tokenizer does not load, or the signature's settings are out of range
 */
export async function createPreparer(plan: PreparePlan): Promise<Preparer> {
  const memory = new TextMemory()
  return createPreparerNow(plan, memory) ?? makePreparer(plan, memory, await loadParts(plan, memory))
}

/**
 * Creates a preparer that has nothing to load; null for another one.
 *
 * @throws {InvalidOptionError} the signature's settings are out of range
 */
export function createPreparerNow(plan: PreparePlan, memory = new TextMemory()): Preparer | null {
  const loadsNothing = plan.tokenizer === null && plan.screen === null && plan.filters.length === 0
  return !plan.clean || loadsNothing
    ? makePreparer(plan, memory, { countTokens: null, screen: null, filters: [] })
    : null
}

async function loadParts(plan: PreparePlan, memory: TextMemory): Promise<LoadedParts> {
  const [countTokens, screen, filters] = await Promise.all([
    plan.tokenizer === null ? null : loadTokenCounter(plan.tokenizer.path),
    plan.screen === null ? null : screenAt(plan.screen.path, plan.screen.sha256, memory),
    Promise.all(plan.filters.map(loadCustomFilter)),
  ])
  return { countTokens, screen, filters }
}

function makePreparer(plan: PreparePlan, memory: TextMemory, loaded: LoadedParts): Preparer {
  const signer = makeSigner(plan.signature)
  const columns = new ColumnsBuilder(plan.signature.signatureLength, memory)
  const text = plan.clean ? makeTextStages(plan, memory, columns, signer, loaded) : null
  return { reader: new RecordReader(memory, !plan.clean), signer, columns, text }
}

function makeTextStages(
  plan: PreparePlan,
  memory: TextMemory,
  columns: ColumnsBuilder,
  signer: Signer,
  { countTokens, screen, filters }: LoadedParts,
): TextStages {
  const clean = createCleaner(memory)
  const personal = new PersonalData(plan.personal, clean)
  const contamination = plan.contamination === null ? null : new ContaminationSearch(plan.contamination.index)
  const packer = new ChunkPacker({ plan, columns, signer, screen, contamination })
  const { quality } = plan
  return { plan, quality, clean, meters: createTextMeters(memory), filters, personal, countTokens, packer }
}

async function screenAt(path: string, sha256: string, memory: TextMemory): Promise<ScreenClassifier> {
  const { loadScreen } = await import('./screen/screen-file.js')
  return loadScreen(path, sha256, memory)
}

/**
 * Returns the chunks and rejects of one block. They depend on the block and the plan alone, not on the version of Node.
 *
 * @param columnsBuffer memory for the columns, used if it is large enough
 * @param onDocument called with the ordinal of each document before it is prepared
 * @throws {CustomFilterError} a custom filter threw
 */
export function prepareBlock(
  block: Block,
  preparer: Preparer,
  columnsBuffer: SharedArrayBuffer | null = null,
  onDocument: (document: number) => void = () => undefined,
): PreparedBlock {
  const rejects: PrepareReject[] = []
  preparer.columns.clear()
  preparer.text?.personal.take()
  if (preparer.text !== null) preparer.text.quality = { ...preparer.text.plan.quality, ...block.mapping.quality }
  preparer.reader.open(block)
  let documents = 0
  const place = new RecordPlaces(block)
  while (place.next()) {
    documents++
    onDocument(place.document)
    prepareRecord(place, block, preparer, rejects)
  }
  const { number, split, source, shard } = block
  const of = { number, split, shard, ...(source !== undefined && { source }) }
  const personal = preparer.text?.personal.take() ?? null
  const chunks = preparer.columns.take(columnsBuffer)
  return { ...of, documents, chunks, rejects, ...(personal !== null && { personal }) }
}

function prepareRecord(place: RecordPlace, block: Block, preparer: Preparer, rejects: PrepareReject[]): void {
  const { document, offset, rejected } = place
  const reject = (stage: string, reason: string, detail: string, excerpt: string, key: string) =>
    rejects.push({ document, chunk: null, offset, key, stage, reason, detail, excerpt: excerptOf(excerpt) })
  if (rejected !== null) {
    reject('read', rejected.reason, rejected.detail, rejected.excerpt, '')
    return
  }
  const decoded = preparer.reader.read(place.start, place.end)
  if (isFault(decoded)) {
    reject('decode', decoded.reason, decoded.detail, decoded.excerpt, decoded.key)
    return
  }
  const { text: stages } = preparer
  if (stages === null) {
    packAsIs(decoded, place, preparer)
    return
  }
  const title = decoded.title === '' ? '' : titleOf(stages.clean, decoded.title)
  const text = stages.clean(decoded.text)
  const rejection = rejectionOf(text, decoded, title, { shard: block.shard, offset }, stages)
  const checked = rejection ?? personalVerdict(text, title, stages)
  if ('reason' in checked) {
    const { stage, reason, detail } = checked
    const excerpt = text.beforeCut ?? codesToString(text.codes, 0, Math.min(text.length, 400))
    reject(stage, reason, detail, stages.personal.mask(excerpt), decoded.key)
    return
  }
  const { tokensMax, family } = stages.plan.chunk
  const limits = { tokensMax, family, exact: stages.countTokens }
  const ranges = chunkText(text, firstUnitAfterTitle(text, checked.title), limits)
  rejects.push(...stages.packer.pack({ document, offset, key: decoded.key, title: checked.title }, text, ranges))
}

interface StagedRejection {
  readonly stage: 'clean' | 'filter'
  readonly reason: string
  readonly detail: string
}

/** Applies the filters. Where a custom filter replaces the text, it is cleaned again, and `text` is the new one. */
function rejectionOf(
  text: CleanText,
  decoded: Document,
  title: string,
  at: { readonly shard: string; readonly offset: number },
  stages: TextStages,
): StagedRejection | null {
  if (text.length === 0) {
    if (text.furnitureChars === 0) return { stage: 'clean', reason: 'no-text', detail: 'nothing visible in it' }
    return {
      stage: 'filter',
      reason: 'boilerplate',
      detail: `all ${text.furnitureChars} characters are page furniture`,
    }
  }
  const rejection = filterText(text, stages.quality, stages.meters)
  if (rejection !== null) return { stage: 'filter', ...rejection }
  let current: string | null = null
  for (const loaded of stages.filters) {
    current ??= codesToString(text.codes, 0, text.length)
    const answer = applyCustomFilter(loaded, { text: current, title, id: decoded.key }, `${at.shard}:${at.offset}`)
    if (answer === true) continue
    if (typeof answer === 'string') return { stage: 'filter', reason: answer, detail: customDetail(loaded.file) }
    stages.clean(answer.text)
    if (text.length === 0) {
      return { stage: 'filter', reason: 'no-text', detail: `nothing left ${customDetail(loaded.file)}` }
    }
    current = null
  }
  return null
}

/** Returns a title in one line, without the name of the site. */
function titleOf(clean: Cleaner, title: string): string {
  return withoutSiteName(cleanString(clean, title).replaceAll('\n', ' '))
}

/** Masks personal data after all filters, which read it as a mark of advertisements. */
function personalVerdict(text: CleanText, title: string, { personal }: TextStages) {
  const verdict = personal.apply(text, title)
  if ('reason' in verdict) return { stage: 'filter' as const, ...verdict }
  // The masked text is cleaned again, which may cut the lines that are left as page furniture.
  return text.length > 0
    ? verdict
    : { stage: 'filter' as const, reason: 'no-text', detail: 'nothing left after masking' }
}

/** Returns the first unit to chunk: a first line that repeats the title is skipped, because the title has its own column. */
function firstUnitAfterTitle({ units, codes, lines, lineStart }: CleanText, title: string): number {
  if (title === '' || lines < 2) return 0
  const end = lineStart[1] as number
  if (end > 2 * titleCharsMax || !repeatsTitle(codesToString(codes, 0, end).trimEnd(), title)) return 0
  let unit = 0
  while ((units.start[unit] as number) < end) unit++
  return unit
}

/** Adds the text of the record as one row, with lone surrogates, which UTF-8 cannot encode, replaced by U+FFFD. */
function packAsIs({ key, text }: Document, { document, offset }: RecordPlace, { columns, signer }: Preparer): void {
  const codes = typeof text === 'string' ? codesOf(text) : text
  const bytes = makeWellFormed(codes)
  columns.add(
    { document, chunk: 0, offset, key, title: '', heading: '', tokens: 0 },
    codes,
    0,
    codes.length,
    bytes,
    signer,
  )
}
