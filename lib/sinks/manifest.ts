/**
 * Format of manifest.jsonl, reading and appending. One line is one cut, and writing the line commits the cut.
 *
 * A line is the entry as JSON with a last field, `"crc32":"xxxxxxxx"`, the checksum of the line without that field.
 */
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { dictionarySchema } from '../core/dictionary.js'
import { tryParseJson } from '../core/json.js'
import { ContractError, CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { type OnStep, runStep } from '../storage/commit-steps.js'
import { type FileLayer, nodeFiles, type OpenFile } from '../storage/files.js'
import { manifestName, partPathPattern } from '../storage/run-layout.js'
import type { ManifestEntry } from './types.js'

/** Bytes of UTF-8 for one UTF-16 code unit, at most. */
const bytesPerCharMax = 3
const readBytes = 1024 * 1024
/** Bytes of a line. It holds the cursor with its open shards, the counters of every split and the files of the cut. */
const lineBytesMax = 64 * 1024 * 1024

/** Returns the committed cuts, in order. A torn last line is not a commit. Writes nothing. */
export async function readManifest(directory: string, files: FileLayer = nodeFiles): Promise<ManifestEntry[]> {
  return [...(await scanManifest(directory, files)).entries]
}

/** Content of a manifest, and its valid length. */
export interface ManifestScan {
  readonly entries: readonly ManifestEntry[]
  /** End of the last valid line. */
  readonly wholeBytes: number
  /** Start of the last valid line; 0 if there is none. */
  readonly lastLineOffset: number
  /** The last line is valid but for its newline, which recovery writes. */
  readonly lacksNewline: boolean
  readonly tornBytes: number
}

const noLines: ManifestScan = { entries: [], wholeBytes: 0, lastLineOffset: 0, lacksNewline: false, tornBytes: 0 }

/**
 * Reads the manifest, and finds the end of its last valid line. A line with its newline and a wrong checksum is damage: a
 * crash leaves a line without its end, or with zeros in it.
 *
 * @throws {CorruptFileError} a line is damaged
 */
export async function scanManifest(directory: string, files: FileLayer): Promise<ManifestScan> {
  const path = join(directory, manifestName)
  const sizeBytes = await files.sizeBytes(path)
  if (sizeBytes === null) return noLines
  const file = await files.open(path, 'read')
  try {
    return await scanLines(file, path, sizeBytes)
  } finally {
    await file.close()
  }
}

async function scanLines(file: OpenFile, path: string, sizeBytes: number): Promise<ManifestScan> {
  const entries: ManifestEntry[] = []
  let wholeBytes = 0
  let lastLineOffset = 0
  for await (const { line, isEnded } of linesOf(file, path, sizeBytes)) {
    const entry =
      parseLine(line.toString(), path) ?? (isEnded ? null : parseLine(line.subarray(0, -1).toString(), path))
    if (entry === null) {
      // Each line is fsynced before the next one is written, so only the last one can be torn.
      const isLast = wholeBytes + line.length + (isEnded ? 1 : 0) === sizeBytes
      if (!isLast || (isEnded && !line.includes(zeros)))
        throw damaged(path, entries.length + 1, 'its checksum does not match')
      break
    }
    if (entry.cut !== entries.length) throw damaged(path, entries.length + 1, `it names cut ${entry.cut}`)
    entries.push(entry)
    lastLineOffset = wholeBytes
    if (!isEnded) {
      const lineBytes = line.length - (parseLine(line.toString(), path) === null ? 1 : 0)
      return { entries, wholeBytes: wholeBytes + lineBytes, lastLineOffset, lacksNewline: true, tornBytes: 0 }
    }
    wholeBytes += line.length + 1
  }
  return { entries, wholeBytes, lastLineOffset, lacksNewline: false, tornBytes: sizeBytes - wholeBytes }
}

interface Line {
  /** Without its newline. */
  readonly line: Buffer
  /** False for a last line without a newline. */
  readonly isEnded: boolean
}

/** Yields the lines of a file. Memory: one line and one read. */
async function* linesOf(file: OpenFile, path: string, sizeBytes: number): AsyncGenerator<Line> {
  let rest: Buffer[] = []
  let restBytes = 0
  for (let offset = 0; offset < sizeBytes; ) {
    const bytes = await file.read(offset, Math.min(readBytes, sizeBytes - offset))
    if (bytes.length === 0) break
    offset += bytes.length
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let start = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      yield { line: Buffer.concat([...rest, piece.subarray(start, end)]), isEnded: true }
      rest = []
      restBytes = 0
      start = end + 1
    }
    rest.push(piece.subarray(start))
    restBytes += piece.length - start
    if (restBytes > lineBytesMax) throw damaged(path, 0, `a line is longer than ${lineBytesMax} bytes`)
  }
  if (restBytes > 0) yield { line: Buffer.concat(rest), isEnded: false }
}

/** A file system leaves zeros where data did not reach the disk. Eight zero bytes cannot be a flipped bit. */
const zeros = Buffer.alloc(8)

/** Commits a cut. Returns once the line is durable. */
export async function appendToManifest(
  files: FileLayer,
  directory: string,
  entry: ManifestEntry,
  onStep?: OnStep,
): Promise<void> {
  const path = join(directory, manifestName)
  const line = Buffer.from(formatLine(entry))
  const file = await files.open(path, 'append')
  try {
    await runStep(onStep, 'manifest-write', path, () => file.write(line))
    await runStep(onStep, 'manifest-fsync', path, () => file.fsync())
  } finally {
    await file.close()
  }
}

/** Truncates a torn line, adds a missing last newline, and fsyncs the file. Creates it if it does not exist. */
export async function settleManifest(
  files: FileLayer,
  directory: string,
  { wholeBytes, lacksNewline }: Pick<ManifestScan, 'wholeBytes' | 'lacksNewline'>,
  onStep?: OnStep,
): Promise<void> {
  const path = join(directory, manifestName)
  const file = await files.open(path, 'append')
  try {
    if ((await files.sizeBytes(path)) !== wholeBytes) {
      await runStep(onStep, 'recover-cut', path, () => file.truncate(wholeBytes))
    }
    if (lacksNewline) await file.write(Buffer.from('\n'))
    await runStep(onStep, 'recover-fsync', path, () => file.fsync())
  } finally {
    await file.close()
  }
  await runStep(onStep, 'recover-fsync', dirname(path), () => files.fsyncDirectory(dirname(path)))
}

/**
 * Returns the line of a cut, with its checksum and newline.
 *
 * @throws {ContractError} it could not be read back
 */
export function formatLine(entry: ManifestEntry): string {
  const json = JSON.stringify(entry)
  // Checked as when it is read: a line that cannot be read back must not be written.
  const { error } = entrySchema.safeParse(JSON.parse(json))
  if (error !== undefined) throw new ContractError(`a cut cannot be committed: ${textOf(error)}`)
  if (json.length > lineBytesMax / bytesPerCharMax) {
    throw new ContractError(`a cut cannot be committed: its line of ${json.length} characters could not be read back`)
  }
  return `${json.slice(0, -1)},"crc32":"${checksum(json)}"}\n`
}

const tail = /,"crc32":"([0-9a-f]{8})"\}$/

function parseLine(line: string, path: string): ManifestEntry | null {
  const found = tail.exec(line)
  if (found === null) return null
  const json = `${line.slice(0, found.index)}}`
  if (checksum(json) !== found[1]) return null
  const { data, error } = entrySchema.safeParse(tryParseJson(json))
  if (error === undefined) return data
  throw new CorruptFileError(
    say`${path} has a line that kun-stream did not write: ${textOf(error)}. Restore the file from a backup,
      or use another directory.`,
    { details: { path } },
  )
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}

const count = z.number().int().min(0)
const entrySchema: z.ZodType<ManifestEntry> = z.object({
  cut: count,
  blocks: count,
  cursor: z.unknown(),
  inputs: z.object({ ended: z.array(z.unknown()), open: z.array(z.unknown()) }).exactOptional(),
  dedupLogBytes: count,
  rowsMax: count.exactOptional(),
  counters: dictionarySchema(z.unknown()),
  files: z.array(
    z.object({
      path: z.string().regex(partPathPattern),
      split: z.string().nullable(),
      rows: z.number().int().min(1),
      bytes: count,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
})

function textOf({ issues }: z.ZodError): string {
  return issues
    .slice(0, 1)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join()
}

function damaged(path: string, line: number, what: string): CorruptFileError {
  return new CorruptFileError(
    say`${path}, line ${line}: ${what}, which is not the effect of a crash. Restore the file from a backup
      or a mirror, or run the recipe in another directory with the replies of this one (replies.from).`,
    { details: { path, line } },
  )
}
