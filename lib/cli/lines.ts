/** Lines of files and standard input as the bytes they are, in batches. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { ShardFormatError, SourceNotFoundError } from '../errors.js'

export interface Line {
  /** With its line ending, if it has one. */
  readonly bytes: Buffer
  /** 'FILE:NUMBER', from 1; standard input is '-'. */
  readonly name: string
}

/** A batch ends with the line that reaches either. */
const batchBytes = 1024 * 1024
const batchLines = 4096
/** Bytes of one line. */
const lineBytesMax = 256 * 1024 * 1024

/** @throws {ShardFormatError} a line over `lineBytesMax` */
export async function* lineBatches(files: readonly string[]): AsyncGenerator<Line[], void, undefined> {
  let batch: Line[] = []
  let bytes = 0
  for (const file of files.length === 0 ? ['-'] : files) {
    let number = 0
    for await (const line of linesOf(file)) {
      batch.push({ bytes: line, name: `${file}:${++number}` })
      bytes += line.length
      if (bytes < batchBytes && batch.length < batchLines) continue
      yield batch
      batch = []
      bytes = 0
    }
  }
  if (batch.length > 0) yield batch
}

async function* linesOf(file: string): AsyncGenerator<Buffer, void, undefined> {
  let held: Buffer[] = []
  let heldBytes = 0
  for await (const chunk of bytesOf(file)) {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(10, start) + 1
      if (end === 0) break
      const tail = chunk.subarray(start, end)
      yield heldBytes === 0 ? tail : Buffer.concat([...held, tail])
      held = []
      heldBytes = 0
      start = end
    }
    if (start === chunk.length) continue
    held.push(chunk.subarray(start))
    heldBytes += chunk.length - start
    if (heldBytes > lineBytesMax) {
      throw new ShardFormatError(`${file}: a line has more than ${lineBytesMax} bytes: is it JSON Lines?`)
    }
  }
  if (heldBytes > 0) yield Buffer.concat(held)
}

const readBytes = 1024 * 1024

async function* bytesOf(file: string): AsyncGenerator<Buffer, void, undefined> {
  if (file === '-') return yield* process.stdin
  const source = createReadStream(file, { highWaterMark: readBytes })
  try {
    if (!file.endsWith('.gz')) return yield* source
    // Larger chunks unpack more than twice as fast as the default of 16 KiB.
    const unpacked = createGunzip({ chunkSize: readBytes })
    source.on('error', (error) => unpacked.destroy(error))
    yield* source.pipe(unpacked)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new SourceNotFoundError(`there is no file ${file}: check the path`, { cause })
    if (code === 'EISDIR') throw new SourceNotFoundError(`${file} is a directory: name files in it`, { cause })
    throw new ShardFormatError(`${file} cannot be read: ${message}`, { cause })
  } finally {
    source.destroy()
  }
}
