/** The file of `endpoints: { file: … }`: one address a line; blank lines and lines that begin with # are ignored. */
import { open } from 'node:fs/promises'
import { errorMessage } from '../../caught-error.js'
import { EndpointError } from '../../errors.js'
import { say } from '../../language/say.js'

/** Size of the file, bytes, and addresses in it. */
const fileBytesMax = 1024 * 1024
const addressesMax = 4096
/** Characters of a line in a message. */
const shownMax = 80

/**
 * Reads the addresses in a file, without repetitions, in the order of the file.
 *
 * @throws {EndpointError} the file cannot be read, or has no address, too many, or a line that is not an address
 */
export async function readEndpointList(path: string): Promise<readonly string[]> {
  const text = await readBounded(path)
  const lines = text.split('\n').map((line) => line.trim())
  const addresses = new Set<string>()
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue
    if (!isHttpUrl(line)) {
      throw invalid(
        path,
        say`${path}:${index + 1}: found ${JSON.stringify(line.slice(0, shownMax))}; write a URL such as http://host:8000/v1 on each line`,
      )
    }
    addresses.add(line)
  }
  // A writer that empties the file before it writes must not end the run: an empty list is not valid.
  if (addresses.size === 0) throw invalid(path, say`${path} has no address; write one URL a line`)
  if (addresses.size > addressesMax) {
    throw invalid(path, say`${path} has ${addresses.size} addresses; the limit is ${addressesMax}`)
  }
  return [...addresses]
}

async function readBounded(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > fileBytesMax) throw invalid(path, say`${path} has ${size} bytes; the limit is ${fileBytesMax}`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof EndpointError) throw cause
    throw invalid(path, say`cannot read the list of servers ${path}: ${errorMessage(cause)}`, cause)
  }
}

function isHttpUrl(line: string): boolean {
  return URL.canParse(line) && /^https?:$/.test(new URL(line).protocol)
}

function invalid(file: string, message: string, cause?: unknown): EndpointError {
  return new EndpointError(message, { ...(cause === undefined ? {} : { cause }), details: { file } })
}
