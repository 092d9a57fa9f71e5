/**
 * Writes of objects, with If-None-Match if only the first may win. Each call marks its object with a random token in
 * the metadata: when a response was lost, the token says whose object is there.
 */
import { randomBytes } from 'node:crypto'
import { StoreUnavailableError } from '../../errors.js'
import { say } from '../../language/say.js'
import { writerHeader } from './object-reads.js'
import type { S3Transport } from './transport.js'
import { uploadParts } from './upload-parts.js'
import {
  hashOf,
  outcomeOf,
  partBytesDefault,
  sizeOf,
  type Write,
  type WriteOptions,
  type WriteOutcome,
} from './write-outcome.js'

/**
 * Writes an object. Durable when it returns.
 *
 * @returns false if `ifAbsent`, and another's object is there
 * @throws {StoreRefusedError} the store does not implement If-None-Match
 * @throws {StoreAccessError} the store refuses
 * @throws {StoreUnavailableError} every try failed; the object may be there
 */
export async function writeObject(transport: S3Transport, options: WriteOptions): Promise<boolean> {
  const condition: Record<string, string> = options.ifAbsent ? { 'if-none-match': '*' } : {}
  const write: Write = { ...options, transport, writer: randomBytes(16).toString('hex'), condition }
  const bytes = sizeOf(options.content)
  const inParts = bytes > (options.partBytes ?? partBytesDefault)
  for (let tries = 1; ; tries++) {
    const outcome = await (inParts ? uploadParts(write, bytes) : putWhole(write, tries > 1))
    if (outcome !== 'conflict') return outcome === 'written'
    if (tries >= transport.triesMax) {
      throw new StoreUnavailableError(
        say`s3://${transport.bucket}/${options.key} could not be written: each of ${tries} tries conflicted with another write. Run
          the same command again: it resumes`,
      )
    }
    await transport.backoff(tries)
  }
}

/** @param repeated whether an earlier try of this call may have stored the object */
async function putWhole(write: Write, repeated: boolean): Promise<WriteOutcome> {
  const { transport, key, content, writer, condition } = write
  let uncertain = repeated
  const outcome = await transport.send(
    {
      method: 'PUT',
      key,
      headers: { ...condition, [writerHeader]: writer, 'content-type': 'application/octet-stream' },
      body: content,
      bodyHash: await hashOf(content),
    },
    () => {
      uncertain = true
    },
  )
  if ('error' in outcome) return outcomeOf(write, outcome.error, uncertain)
  await outcome.response.body.dump()
  return 'written'
}
