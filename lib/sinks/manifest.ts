/**
 * manifest.jsonl: one line a cut, and the line is the commit. Owns its format and what is whole of it;
 * what to do about the files that it does not name is recover.ts.
 *
 * A line is the entry as JSON with a last field, `"crc32":"xxxxxxxx"`, over what the line would be without it.
 */
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { dictionarySchema } from '../core/dictionary.js'
import { ContractError, CorruptFileError } from '../errors.js'
import { type OnStep, runStep } from '../storage/commit-steps.js'
import { type FileLayer, nodeFiles, type OpenFile } from '../storage/files.js'
import { manifestName, partPathPattern } from '../storage/run-layout.js'
import type { ManifestEntry } from './types.js'

/** UTF-8 takes at most as many for a UTF-16 code unit. */
const bytesPerCharMax = 3
const readBytes = 1024 * 1024
/** Bytes of a line: a cursor with its open shards, the counters of every split, the files of a cut. */
const lineBytesMax = 64 * 1024 * 1024

/** The cuts that are committed, in order; a torn last line is no commit. Writes nothing. */
export async function readManifest(directory: string, files: FileLayer = nodeFiles): Promise<ManifestEntry[]> {
  return [...(await scanManifest(directory, files)).entries]
}

/** Content of a manifest, and its valid length. */
export interface ManifestScan {
  readonly entries: readonly ManifestEntry[]
  /** End of the last valid line. */
  readonly wholeBytes: number
  /** The last line is valid but for its newline, which recovery writes. */
  readonly lacksNewline: boolean
  readonly tornBytes: number
}

/**
 * Also the length of what is valid, and of a torn last line. A line that has its newline and a wrong checksum is not
 * torn: a crash leaves a line without its end, or zeros in it.
 *
 * @throws {CorruptFileError} a line is damaged
 */
export async function scanManifest(directory: string, files: FileLayer): Promise<ManifestScan> {
  const path = join(directory, manifestName)
  const sizeBytes = await files.sizeBytes(path)
  if (sizeBytes === null) return { entries: [], wholeBytes: 0, lacksNewline: false, tornBytes: 0 }
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
  for await (const { line, isEnded } of linesOf(file, path, sizeBytes)) {
    const entry =
      parseLine(line.toString(), path) ?? (isEnded ? null : parseLine(line.subarray(0, -1).toString(), path))
    if (entry === null) {
      // Each line is fsynced before the next is begun: only the last one can be torn.
      const isLast = wholeBytes + line.length + (isEnded ? 1 : 0) === sizeBytes
      if (!isLast || (isEnded && !line.includes(zeros)))
        throw damaged(path, entries.length + 1, 'its checksum is wrong')
      break
    }
    if (entry.cut !== entries.length) throw damaged(path, entries.length + 1, `it names cut ${entry.cut}`)
    entries.push(entry)
    if (!isEnded) {
      const lineBytes = line.length - (parseLine(line.toString(), path) === null ? 1 : 0)
      return { entries, wholeBytes: wholeBytes + lineBytes, lacksNewline: true, tornBytes: 0 }
    }
    wholeBytes += line.length + 1
  }
  return { entries, wholeBytes, lacksNewline: false, tornBytes: sizeBytes - wholeBytes }
}

interface Line {
  /** Without its newline. */
  readonly line: Buffer
  /** False for a last line without a newline. */
  readonly isEnded: boolean
}

/** The lines of a file of any size, which is read in pieces. */
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

/** Zeros that a file system leaves where data did not reach the disk; longer than a flipped bit can make. */
const zeros = Buffer.alloc(8)

/** Commits a cut: returns once the line is durable. */
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

/** Cuts a torn line, completes the last newline, and syncs data of a killed process. Creates the file. */
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
 * The line of a cut, with its checksum and newline.
 *
 * @throws {ContractError} it could not be read back
 */
export function formatLine(entry: ManifestEntry): string {
  const json = JSON.stringify(entry)
  // Checked here as it will be when it is read: a line that cannot be read back must not be the commit.
  const problem = problemOf(JSON.parse(json))
  if (problem !== null) throw new ContractError(`a cut cannot be committed: ${problem}`)
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
  const entry = parsed(json)
  const problem = problemOf(entry)
  if (problem === null) return entry as ManifestEntry
  throw new CorruptFileError(
    `${path} has a line that is not ours: ${problem}. Restore the file from a backup, or use another directory.`,
    { details: { path } },
  )
}

/** Undefined, which is no entry, where it is no JSON: the checksum was right, so it was written so. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}

const count = z.number().int().min(0)
const entrySchema = z.object({
  cut: count,
  blocks: count,
  cursor: z.unknown(),
  inputs: z.object({ ended: z.array(z.unknown()), open: z.array(z.unknown()) }).optional(),
  dedupLogBytes: count,
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

function problemOf(entry: unknown): string | null {
  const { error } = entrySchema.safeParse(entry)
  const issue = error?.issues[0]
  return issue === undefined ? null : `${issue.path.join('.')}: ${issue.message}`
}

function damaged(path: string, line: number, what: string): CorruptFileError {
  return new CorruptFileError(
    `${path}, line ${line}: ${what}, which no crash leaves. Restore the file from a backup or a mirror, or run the ` +
      'recipe in another directory with the replies of this one (replies.from).',
    { details: { path, line } },
  )
}
