/** Contents put into the Hub's store of large files by LFS, whole or in parts. Nobody sees them until they are committed. */

import { HubUnavailableError } from '../errors.js'
import type { Sliceable } from './body.js'
import { authorization } from './context.js'
import { type HubRequestContext, hubRefusal } from './errors.js'
import type { HubTransport } from './fetch.js'
import type { HubResponse } from './request.js'
import type { HubSettings } from './settings.js'

export interface UploadPlace {
  readonly repo: string
  readonly settings: HubSettings
  readonly transport: HubTransport
  readonly signal: AbortSignal | undefined
  readonly context: HubRequestContext
}

type OnSent = ((bytes: number) => void) | undefined

interface LfsAction {
  readonly href: string
  readonly header?: Readonly<Record<string, string>>
}

interface LfsBatch {
  readonly objects: readonly {
    readonly oid: string
    readonly actions?: { readonly upload?: LfsAction }
    readonly error?: { readonly code: number; readonly message: string }
  }[]
}

/** False when it was there. */
export async function uploadContent(
  place: UploadPlace,
  content: Sliceable,
  sha256: string,
  onSent: OnSent,
): Promise<boolean> {
  const action = await uploadAction(place, sha256, content.size)
  if (action === null) return false
  const { href, header } = action
  if (header?.chunk_size === undefined) await put(place, href, content, onSent)
  else await uploadParts(place, href, header, sha256, content, onSent)
  return true
}

/** Null when the content is there. */
async function uploadAction(place: UploadPlace, oid: string, size: number): Promise<LfsAction | null> {
  const { repo, settings } = place
  const body = {
    operation: 'upload',
    transfers: ['basic', 'multipart'],
    hash_algo: 'sha_256',
    objects: [{ oid, size }],
  }
  const url = `${settings.url}/datasets/${repo}.git/info/lfs/objects/batch`
  const answer = await post(place, url, authorization(settings), body)
  const text = await answer.body.text()
  if (answer.status !== 200) throw refused(place, answer, text)
  const [object] = (JSON.parse(text) as LfsBatch).objects
  if (object?.error === undefined) return object?.actions?.upload ?? null
  const { code: status, message } = object.error
  throw hubRefusal({ status, message }, { ...place.context, uploads: true })
}

async function uploadParts(
  place: UploadPlace,
  href: string,
  header: Readonly<Record<string, string>>,
  oid: string,
  content: Sliceable,
  onSent: OnSent,
): Promise<void> {
  const partBytes = Number(header.chunk_size)
  const parts: { partNumber: number; etag: string }[] = []
  const numbers = Object.keys(header)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
  if (!(partBytes > 0) || numbers.length !== Math.ceil(content.size / partBytes)) {
    throw new HubUnavailableError(
      `The Hub wants ${content.size} bytes in ${numbers.length} parts of ${header.chunk_size} bytes: publish again`,
    )
  }
  for (const [index, number] of numbers.entries()) {
    const start = index * partBytes
    const slice = content.slice(start, start + partBytes)
    const answer = await put(place, header[number] as string, slice, (bytes) => onSent?.(start + bytes))
    const { etag } = answer.headers
    if (etag === undefined || etag === '') {
      throw new HubUnavailableError(`The Hub took part ${number} of ${oid} without an ETag: publish again`)
    }
    parts.push({ partNumber: Number(number), etag })
  }
  const answer = await post(place, href, {}, { oid, parts })
  const text = await answer.body.text()
  if (answer.status >= 300) throw refused(place, answer, text)
}

/** Signed by its address: the token is not sent. */
async function put(place: UploadPlace, url: string, body: Sliceable, onSent: OnSent): Promise<HubResponse> {
  const answer = await place.transport.request(url, { method: 'PUT', body, onSent, signal: place.signal })
  const text = await answer.body.text()
  if (answer.status >= 300) throw refused(place, answer, text)
  return answer
}

function post(place: UploadPlace, url: string, given: Record<string, string>, body: object): Promise<HubResponse> {
  const type = 'application/vnd.git-lfs+json'
  const headers = { ...given, accept: type, 'content-type': type }
  return place.transport.request(url, { method: 'POST', headers, body: JSON.stringify(body), signal: place.signal })
}

function refused({ context }: UploadPlace, answer: HubResponse, text: string): Error {
  return refusedAnswer(answer, text, { ...context, uploads: true })
}

export function refusedAnswer(answer: HubResponse, text: string, context: HubRequestContext): Error {
  const errorCode = answer.headers['x-error-code']
  const message = answer.headers['x-error-message'] ?? text.slice(0, 300)
  return hubRefusal({ status: answer.status, errorCode, message }, context)
}
