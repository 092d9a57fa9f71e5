/**
 * Format of a unit file: JSON Lines in gzip. A line for each block of the cut, followed by a line for each of its records in
 * input order: candidates, duplicates, and what the workers rejected. It holds all that the stages after dedup read.
 */

import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { constants, createGunzip, createGzip, type Gzip } from 'node:zlib'
import { z } from 'zod'
import { isRecord } from '../core/objects.js'
import { bytesOf } from '../core/read-bytes.js'
import { Child } from '../core/types.js'
import { CorruptFileError } from '../errors.js'
import type { Candidate } from '../kun/types.js'
import { say } from '../language/say.js'
import type { BlockFacts } from '../run/block-facts.js'
import { personalAccount } from '../run/committed-cut.js'
import { isPair, Rejected, type ReleasedRecord, recordOf } from '../run/records.js'
import { storageError } from '../storage/files.js'
import { excerptCharsMax, type PrepareReject } from '../text/block.js'
import { recordId } from '../text/identity.js'

const unitFormat = 'kun-stream unit'
const unitVersion = 1

/** First line of a unit file. */
interface Head {
  readonly format: typeof unitFormat
  readonly version: number
  readonly cut: number
  /** Number of its first block. */
  readonly firstBlock: number
}

/** Line of a block. */
interface BlockLine extends BlockFacts {
  readonly block: number
  readonly records: number
}

const blockLine: z.ZodType<BlockLine> = z.object({
  block: z.int(),
  records: z.int(),
  split: z.string(),
  source: z.string().exactOptional(),
  shard: z.string(),
  cursor: z.unknown(),
  reads: z.object({ ended: z.array(z.unknown()), open: z.array(z.unknown()) }),
  documents: z.int(),
  personal: personalAccount.nullable(),
  dedupLogBytes: z.int(),
  endsCut: z.boolean(),
})

/** offset, chunk, tokens, key, title, heading, text */
const cells = z.tuple([z.number(), z.number(), z.number(), z.string(), z.string(), z.string(), z.string()])
type Cells = z.output<typeof cells>

const reject: z.ZodType<PrepareReject> = z.object({
  document: z.int(),
  chunk: z.int().nullable(),
  offset: z.number(),
  key: z.string(),
  stage: z.string(),
  reason: z.string(),
  detail: z.string(),
  excerpt: z.string(),
})

/** Line of a record. `c`: a candidate · `d`: a duplicate, with the start of its text · `r`: rejected by a worker. */
const recordLine = z.union([
  z.object({ c: cells }),
  z.object({ d: cells, reason: z.string(), detail: z.string() }),
  z.object({ r: reject }),
])
type RecordLine = z.output<typeof recordLine>

/** A block as the stages after dedup receive it. */
export interface UnitBlock {
  readonly number: number
  readonly facts: BlockFacts
  readonly records: readonly (Candidate | Child<Candidate | Rejected>)[]
  /** About what its records take in memory. */
  readonly bytes: number
}

/** What a finished unit file is. */
interface WrittenUnit {
  /** Of the compressed file. */
  readonly bytes: number
  readonly sha256: string
  /** sha256 of the lines without `reads`: the same whatever the version of zlib and the speed of the disk. */
  readonly content: string
}

/** Writes a unit file. Holds the records of one block. */
export class UnitFileWriter {
  readonly #path: string
  readonly #gzip: Gzip
  readonly #output: WriteStream
  readonly #content = createHash('sha256')
  readonly #file: Hash = createHash('sha256')
  readonly #done: Promise<void>
  #bytes = 0
  #lines: string[] = []
  #records = 0

  /** @param path written from the start; not durable before `end` */
  constructor(path: string, head: Pick<Head, 'cut' | 'firstBlock'>) {
    this.#path = path
    this.#gzip = createGzip({ level: constants.Z_BEST_SPEED })
    this.#gzip.on('data', (piece: Buffer) => {
      this.#file.update(piece)
      this.#bytes += piece.length
    })
    this.#output = createWriteStream(path, { flush: true })
    this.#gzip.pipe(this.#output)
    this.#gzip.on('error', (error) => this.#output.destroy(error))
    this.#done = finished(this.#output)
    this.#done.catch(() => undefined) // thrown by `end`
    const first = `${JSON.stringify({ format: unitFormat, version: unitVersion, ...head } satisfies Head)}\n`
    this.#content.update(first)
    this.#gzip.write(first)
  }

  /** Adds a record of the open block. */
  add(released: ReleasedRecord): void {
    const line = lineOf(released)
    if (line === null) return
    this.#lines.push(JSON.stringify(line))
    this.#records++
  }

  /** Ends the open block. Resolves when the next one can be written. */
  async endBlock(number: number, facts: BlockFacts): Promise<void> {
    const line: BlockLine = { block: number, ...facts, records: this.#records }
    const records = this.#lines.map((each) => `${each}\n`).join('')
    // How far the shards were read depends on the disk, and their stamps on when they were copied here.
    const { reads: _, ...same } = line
    this.#lines = []
    this.#records = 0
    this.#content.update(`${JSON.stringify(same)}\n${records}`)
    if (this.#gzip.write(`${JSON.stringify(line)}\n${records}`)) return
    await Promise.race([this.#done, new Promise((drained) => this.#gzip.once('drain', drained))])
  }

  /** Finishes the file; its bytes are durable afterwards. @throws {StorageError} it could not be written */
  async end(): Promise<WrittenUnit> {
    this.#gzip.end()
    await this.#done.catch((error: unknown) => {
      throw storageError('write', this.#path, error)
    })
    return { bytes: this.#bytes, sha256: this.#file.digest('hex'), content: this.#content.digest('hex') }
  }

  /** Closes the file without finishing it. */
  async abandon(): Promise<void> {
    this.#gzip.destroy()
    this.#output.destroy() // it does not end with what is piped into it
    await this.#done.catch(() => undefined) // it was not finished
  }
}

function lineOf(released: ReleasedRecord): RecordLine | null {
  const record = recordOf(released)
  if (record === null) return null
  if (record instanceof Rejected) return { r: record.reject }
  const candidate = isPair(record) ? record.candidate : record
  const { settlement } = released
  if (settlement === null) return { c: cellsOf(candidate, candidate.text) }
  const { reason, detail } = settlement
  // One character more than an excerpt has, so that the excerpt is cut as that of the whole text.
  return { d: cellsOf(candidate, candidate.text.slice(0, excerptCharsMax + 1)), reason, detail }
}

function cellsOf({ offset, chunk, tokens, key, title, heading }: Candidate, text: string): Cells {
  return [offset, chunk, tokens, key, title, heading, text]
}

/**
 * Yields the blocks of a unit file, in order.
 *
 * @param path a file whose sha256 was compared with the plan
 * @throws {CorruptFileError} it is not a unit file of this version
 */
export async function* readUnitFile(path: string): AsyncGenerator<UnitBlock> {
  const lines = linesOf(path)
  const next = async (): Promise<string | null> => {
    const { done, value } = await lines.next()
    return done ? null : value
  }
  try {
    checkHead(path, await next())
    for (let line = await next(); line !== null; line = await next()) {
      const { block, records: count, ...facts } = blockLine.parse(JSON.parse(line))
      const records: UnitBlock['records'][number][] = []
      let bytes = line.length
      for (let index = 0; index < count; index++) {
        const text = await next()
        if (text === null) throw corruptUnit(path, say`it ends inside a block`)
        bytes += text.length
        records.push(recordFrom(recordLine.parse(JSON.parse(text)), facts))
      }
      yield { number: block, facts, records, bytes }
    }
  } catch (error) {
    if (error instanceof z.ZodError) throw corruptUnit(path, z.prettifyError(error))
    if (error instanceof SyntaxError || (error instanceof Error && 'errno' in error)) {
      throw corruptUnit(path, error.message)
    }
    throw error
  } finally {
    await lines.return(undefined)
  }
}

/** Yields the lines, split at newlines only: a text may have U+2028, at which `readline` splits too. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path)
  const gunzip = createGunzip()
  file.on('error', (error) => gunzip.destroy(error))
  try {
    let rest: Buffer[] = []
    for await (const piece of bytesOf(file.pipe(gunzip))) {
      let start = 0
      for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
        const last = piece.subarray(start, end)
        yield (rest.length === 0 ? last : Buffer.concat([...rest, last])).toString('utf8')
        rest = []
        start = end + 1
      }
      if (start < piece.length) rest.push(piece.subarray(start))
    }
    if (rest.length > 0) throw corruptUnit(path, say`its last line is not complete`)
  } finally {
    file.destroy()
    gunzip.destroy()
  }
}

function checkHead(path: string, line: string | null): void {
  const head: unknown = line === null ? null : JSON.parse(line)
  if (!isRecord(head) || head.format !== unitFormat) throw corruptUnit(path, say`it is not a unit file`)
  if (head.version !== unitVersion) throw corruptUnit(path, say`it has format ${String(head.version)}`)
}

function corruptUnit(path: string, what: string): CorruptFileError {
  return new CorruptFileError(
    say`the unit file ${path} cannot be read: ${what}. Run \`kun-stream prepare\` again: it makes the file again`,
    { details: { path } },
  )
}

function recordFrom(line: RecordLine, { split, source, shard }: BlockFacts): UnitBlock['records'][number] {
  if ('r' in line) {
    const { reason, detail } = line.r
    return new Child(new Rejected(split, shard, line.r), { drop: reason, detail })
  }
  const [offset, chunk, tokens, key, title, heading, text] = 'c' in line ? line.c : line.d
  const id = recordId(split, shard, offset, chunk)
  const place = { id, split, ...(source !== undefined && { source }), shard, offset, chunk }
  const candidate: Candidate = { ...place, key, title, heading, text, tokens, columns: {} }
  return 'c' in line ? candidate : new Child(candidate, { drop: line.reason, detail: line.detail })
}
