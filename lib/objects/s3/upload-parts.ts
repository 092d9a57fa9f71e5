/**
 * Upload of a large object in parts, each sent again by itself. The object appears when the upload is completed, which
 * carries the condition. An upload that fails is aborted, for a store charges for its parts until then.
 * Memory: a piece of 1 MiB of a file for each part in flight.
 */
import { mapConcurrent } from '../../core/concurrent.js'
import { StoreUnavailableError } from '../../errors.js'
import { isSliceable } from '../../http/request-body.js'
import { say } from '../../language/say.js'
import { closeAfter } from '../../storage/close-all.js'
import { writerHeader } from './object-reads.js'
import { escaped, field, parseError, readText, type S3Error, type S3Response } from './response.js'
import {
  type Content,
  hashOf,
  outcomeOf,
  partBytesDefault,
  type Write,
  type WriteOutcome,
  whose,
} from './write-outcome.js'

/** Parts in flight. */
const partsInFlightMax = 4
/** Limit of S3 is 10,000. */
const partsMax = 9_000

export async function uploadParts(write: Write, bytes: number): Promise<WriteOutcome> {
  const uploadId = await create(write)
  try {
    const etags = await sendParts(write, bytes, uploadId)
    const outcome = await complete(write, uploadId, etags)
    if (outcome !== 'written') await abort(write, uploadId)
    return outcome
  } catch (error) {
    return closeAfter(error, [() => abort(write, uploadId)])
  }
}

async function create({ transport, key, writer }: Write): Promise<string> {
  const headers = { [writerHeader]: writer, 'content-type': 'application/octet-stream' }
  const outcome = await transport.send({ method: 'POST', key, query: { uploads: '' }, headers })
  if ('error' in outcome) throw transport.refusal(outcome.error, key)
  const uploadId = field(await readText(outcome.response), 'UploadId')
  if (uploadId !== undefined && uploadId !== '') return uploadId
  throw new StoreUnavailableError(
    say`s3://${transport.bucket}/${key} could not be uploaded in parts: the response names no upload`,
  )
}

/** Returns the ETag of each part, in order. */
async function sendParts(write: Write, bytes: number, uploadId: string): Promise<string[]> {
  const partBytes = Math.max(write.partBytes ?? partBytesDefault, Math.ceil(bytes / partsMax))
  const starts = Array.from({ length: Math.ceil(bytes / partBytes) }, (_, part) => part * partBytes)
  return mapConcurrent(starts, partsInFlightMax, async (start, part) => {
    const content = rangeOf(write.content, start, Math.min(start + partBytes, bytes))
    return sendPart(write, { uploadId, number: part + 1, content })
  })
}

interface Part {
  readonly uploadId: string
  /** From 1. */
  readonly number: number
  readonly content: Content
}

async function sendPart({ transport, key }: Write, { uploadId, number, content }: Part): Promise<string> {
  const outcome = await transport.send({
    method: 'PUT',
    key,
    query: { partNumber: String(number), uploadId },
    body: content,
    bodyHash: await hashOf(content),
  })
  if ('error' in outcome) throw transport.refusal(outcome.error, key)
  await outcome.response.body.dump()
  return outcome.response.headers.etag ?? ''
}

/** A response of status 200 may hold an error; one that was lost may stand for a completed upload. */
async function complete(write: Write, uploadId: string, etags: readonly string[]): Promise<WriteOutcome> {
  const { transport, key, condition } = write
  const parts = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`)
  const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
  const bodyHash = await hashOf(body)
  let uncertain = false
  for (let tries = 1; ; tries++) {
    const headers = { ...condition, 'content-type': 'application/xml' }
    const outcome = await transport.send({ method: 'POST', key, query: { uploadId }, headers, body, bodyHash }, () => {
      uncertain = true
    })
    const error = 'error' in outcome ? outcome.error : await errorInside(outcome.response)
    if (error === null) return 'written'
    if (error.code === 'NoSuchUpload' && uncertain) return whose(write)
    if (error.status === 200 && (error.code === 'InternalError' || error.code === 'SlowDown')) {
      uncertain = true
      if (tries < transport.triesMax) {
        await transport.backoff(tries)
        continue
      }
    }
    return outcomeOf(write, error.code === 'PreconditionFailed' ? { ...error, status: 412 } : error, uncertain)
  }
}

async function errorInside(response: S3Response): Promise<S3Error | null> {
  const text = await readText(response)
  return text.includes('<Error>') ? parseError(response, text) : null
}

/** Not retried beyond the transport's tries: a rule of the bucket should remove what is left. */
async function abort({ transport, key }: Write, uploadId: string): Promise<void> {
  const outcome = await transport.send({ method: 'DELETE', key, query: { uploadId } })
  if ('response' in outcome) await outcome.response.body.dump()
}

function rangeOf(content: Content, start: number, end: number): Content {
  return isSliceable(content) ? content.slice(start, end) : content.subarray(start, end)
}
