/** Reads the body of a request to a stand-in server; core/read-bytes.ts does the same for the rooms that may import core. */
import type { IncomingMessage } from 'node:http'

/** @param bytesMax with more, the error of `tooLarge` is thrown */
export async function readBody(request: IncomingMessage, bytesMax: number, tooLarge: () => Error): Promise<Buffer> {
  const parts: Buffer[] = []
  const pieces: AsyncIterable<Buffer> = request
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > bytesMax) throw tooLarge()
    parts.push(piece)
  }
  return Buffer.concat(parts, bytes)
}
