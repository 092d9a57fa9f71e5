/**
 * JSON files that are replaced as a whole and hold a checksum of their own text as the last field, so that a changed
 * digit in a file that is still valid JSON is detected. The caller owns the meaning of the fields.
 */
import { crc32 } from 'node:zlib'
import { CorruptFileError, TooLargeError } from '../errors.js'
import { say } from '../language/say.js'

const pretty = /,\n {2}"crc32": "([0-9a-f]{8})"\n\}\n$/
const compact = /,"crc32":"([0-9a-f]{8})"\}\n$/

/** Layout of a file: indented by two spaces, or one line. */
type SealedLayout = 'pretty' | 'compact'

/** Builds the text of a file; `value` has at least one field, and none named crc32. */
export function encodeSealed(value: Readonly<Record<string, unknown>>, layout: SealedLayout = 'pretty'): string {
  const body = stringified(value, layout)
  const crc = checksum(body)
  return layout === 'pretty'
    ? `${body.slice(0, -2)},\n  "crc32": "${crc}"\n}\n`
    : `${body.slice(0, -1)},"crc32":"${crc}"}\n`
}

function stringified(value: Readonly<Record<string, unknown>>, layout: SealedLayout): string {
  try {
    return layout === 'pretty' ? JSON.stringify(value, null, 2) : JSON.stringify(value)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new TooLargeError(
      say`a JSON file of the run would be longer than the longest text: divide the input, with fewer shards
        in each run`,
      { cause },
    )
  }
}

/**
 * Parses such a text and checks its checksum.
 *
 * @param repair what to do about a damaged file; ends the message
 * @throws {CorruptFileError} it is not valid JSON, has no checksum or a wrong one
 */
export function decodeSealed(bytes: Uint8Array, path: string, repair: string): Record<string, unknown> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  const damaged = (what: string, cause?: unknown) =>
    new CorruptFileError(say`${path} is damaged: ${what}. ${repair}`, { cause, details: { path } })
  const isPretty = pretty.test(text)
  const found = (isPretty ? pretty : compact).exec(text)
  if (found === null) throw damaged(isJson(text) ? say`it has no checksum at its end` : say`it is not valid JSON`)
  const body = text.slice(0, found.index) + (isPretty ? '\n}' : '}')
  if (checksum(body) !== found[1]) throw damaged(say`its checksum does not match`)
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw damaged(say`it is not valid JSON`, cause)
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0')
}
