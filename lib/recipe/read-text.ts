/** Reads a recipe as UTF-8 text of at most `recipeBytesMax`. The error for anything else names its format. */

import { createReadStream } from 'node:fs'
import { readRefusal } from '../caught-error.js'
import { readBytes } from '../core/read-bytes.js'
import { RecipeError } from '../errors.js'
import { say, translated } from '../language/say.js'

/** Larger than any recipe; a device or a data file given by mistake is not read further. */
const recipeBytesMax = 1024 * 1024

/**
 * Reads a recipe; `-` is standard input.
 *
 * @throws {RecipeError} it cannot be read, is larger than `recipeBytesMax`, or is not UTF-8 text
 */
export async function readRecipeText(path: string): Promise<string> {
  const bytes = await recipeBytes(path)
  const found = otherThanUtf8(bytes)
  if (found === null) return new TextDecoder().decode(bytes)
  throw unreadable(path, found)
}

async function recipeBytes(path: string): Promise<Buffer> {
  const tooLarge = () => unreadable(path, `it is larger than ${recipeBytesMax / 1024 / 1024} MiB`)
  try {
    return await readBytes(path === '-' ? process.stdin : createReadStream(path), recipeBytesMax, tooLarge)
  } catch (cause) {
    if (cause instanceof RecipeError) throw cause
    throw unreadable(path, translated(readRefusal(cause)), cause)
  }
}

function unreadable(path: string, why: string, cause?: unknown): RecipeError {
  const name = path === '-' ? 'standard input' : path.replaceAll('\0', '\\0')
  return new RecipeError(say`${name} cannot be read: ${why}. Give the path of a recipe, as recipes/demo.yaml`, {
    cause,
  })
}

/** Signatures of files that are not recipes. */
const signatures: readonly (readonly [string, string])[] = [
  ['fffe0000', 'it is UTF-32 (little-endian); save it as UTF-8'],
  ['0000feff', 'it is UTF-32 (big-endian); save it as UTF-8'],
  ['fffe', 'it is UTF-16 (little-endian); save it as UTF-8'],
  ['feff', 'it is UTF-16 (big-endian); save it as UTF-8'],
  ['1f8b', 'it is compressed with gzip'],
  ['28b52ffd', 'it is compressed with zstd'],
  ['504b0304', 'it is a zip archive'],
  ['50415231', 'it is a Parquet file'],
]

/** Describes bytes that are not UTF-8 text; returns null if they are. */
function otherThanUtf8(bytes: Buffer): string | null {
  const start = bytes.subarray(0, 4).toString('hex')
  const signature = signatures.find(([prefix]) => start.startsWith(prefix))
  if (signature !== undefined) return signature[1]
  const nul = bytes.indexOf(0)
  if (nul >= 0) return withNul(bytes, nul)
  if (decodes(bytes, 'utf-8')) return null
  const place = `byte ${firstInvalid(bytes)} is not UTF-8`
  return decodes(bytes, 'gb18030') ? `${place}; it may be GBK or GB18030: save it as UTF-8` : `${place}; it is binary`
}

/** Every second byte of ASCII in UTF-16 is NUL. */
function withNul(bytes: Buffer, nul: number): string {
  const head = bytes.subarray(0, 64 * 1024)
  const nuls = [0, 0]
  for (const [place, byte] of head.entries()) if (byte === 0) nuls[place % 2] = (nuls[place % 2] ?? 0) + 1
  const [even = 0, odd = 0] = nuls
  const many = head.length / 8
  if (odd > many && even * 8 < odd) return 'it is UTF-16 (little-endian, without a byte order mark); save it as UTF-8'
  if (even > many && odd * 8 < even) return 'it is UTF-16 (big-endian, without a byte order mark); save it as UTF-8'
  return `byte ${nul} is NUL: it is binary`
}

function decodes(bytes: Buffer, encoding: string): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(bytes)
    return true
  } catch {
    return false // a fatal decoder throws for bytes that are not in its encoding only
  }
}

/** Returns the offset of the first byte that is not UTF-8: the first that changes when decoded and encoded again. */
function firstInvalid(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString('utf8'), 'utf8')
  let place = 0
  while (place < bytes.length && bytes[place] === again[place]) place++
  return place
}
