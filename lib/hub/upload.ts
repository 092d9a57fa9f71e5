/** Uploads content to the Hub's store of large files by LFS, whole or in parts. It is not visible until it is committed. */
import { z } from 'zod'
import { HubUnavailableError } from '../errors.js'
import type { Sliceable } from '../http/request-body.js'
import { say } from '../language/say.js'
import { authorization } from './context.js'
import { type HubRequestContext, hubResponseError } from './errors.js'
import type { HubRequest, HubResponse } from './request.js'
import { parseJson, responseError } from './response.js'
import type { HubSettings } from './settings.js'
import type { HubTransport } from './transport.js'

interface UploadTarget {
  readonly repo: string
  readonly settings: HubSettings
  readonly transport: HubTransport
  readonly signal: AbortSignal | undefined
  readonly context: HubRequestContext
}

type OnSent = ((bytes: number) => void) | undefined

/** Where to send the content; with parts, `header` holds their size and one address per part number. */
const lfsAction = z.object({
  href: z.string(),
  header: z.record(z.string(), z.string()).optional(),
})
type LfsAction = z.output<typeof lfsAction>

/** Response of the LFS batch API. */
const lfsBatch = z.object({
  objects: z.array(
    z.object({
      actions: z.object({ upload: lfsAction.optional() }).optional(),
      error: z.object({ code: z.number(), message: z.string() }).optional(),
    }),
  ),
})

/** Uploads the content; returns false if the store has it already. */
export async function uploadContent(
  target: UploadTarget,
  content: Sliceable,
  sha256: string,
  onSent: OnSent,
): Promise<boolean> {
  const action = await uploadAction(target, sha256, content.size)
  if (action === null) return false
  const { href, header } = action
  if (header?.chunk_size === undefined) await put(target, href, content, onSent)
  else await uploadParts(target, href, header, sha256, content, onSent)
  return true
}

/** Returns null if the store has the content. */
async function uploadAction(target: UploadTarget, oid: string, size: number): Promise<LfsAction | null> {
  const { repo, settings, context } = target
  const body = {
    operation: 'upload',
    transfers: ['basic', 'multipart'],
    hash_algo: 'sha_256',
    objects: [{ oid, size }],
  }
  const url = `${settings.url}/datasets/${repo}.git/info/lfs/objects/batch`
  const { text } = await post(target, url, authorization(settings), body)
  const [object] = parseJson(lfsBatch, text, url).objects
  if (object?.error === undefined) return object?.actions?.upload ?? null
  const { code: status, message } = object.error
  throw hubResponseError({ status, message }, { ...context, uploads: true })
}

async function uploadParts(
  target: UploadTarget,
  href: string,
  header: Readonly<Record<string, string>>,
  oid: string,
  content: Sliceable,
  onSent: OnSent,
): Promise<void> {
  const partBytes = Number(header.chunk_size)
  const urls = Object.entries(header)
    .filter(([name]) => /^\d+$/.test(name))
    .sort(([a], [b]) => Number(a) - Number(b))
  if (!(partBytes > 0) || urls.length !== Math.ceil(content.size / partBytes)) {
    throw new HubUnavailableError(
      say`the Hub asks for ${content.size} bytes in ${urls.length} parts of ${header.chunk_size} bytes:
        publish again`,
    )
  }
  const parts: { partNumber: number; etag: string }[] = []
  for (const [index, [number, url]] of urls.entries()) {
    const start = index * partBytes
    const slice = content.slice(start, start + partBytes)
    const { headers } = await put(target, url, slice, (bytes) => onSent?.(start + bytes))
    const { etag } = headers
    if (etag === undefined || etag === '') {
      throw new HubUnavailableError(say`the Hub accepted part ${number} of ${oid} without an ETag: publish again`)
    }
    parts.push({ partNumber: Number(number), etag })
  }
  await post(target, href, {}, { oid, parts })
}

/** The address is signed: no token is sent. */
async function put(target: UploadTarget, url: string, body: Sliceable, onSent: OnSent): Promise<HubResponse> {
  return (await send(target, url, { method: 'PUT', body, onSent })).response
}

function post(target: UploadTarget, url: string, given: Record<string, string>, body: object) {
  const type = 'application/vnd.git-lfs+json'
  const headers = { ...given, accept: type, 'content-type': type }
  return send(target, url, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function send({ transport, signal, context }: UploadTarget, url: string, request: HubRequest) {
  const response = await transport.request(url, { ...request, signal })
  const text = await response.body.text()
  if (response.status >= 300) throw responseError(response, text, { ...context, uploads: true })
  return { response, text }
}
