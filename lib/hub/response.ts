/** Responses of the Hub: as `fetch` returns them to @huggingface/hub, as parsed JSON, and as errors. */

import type { z } from 'zod'
import { isRecord } from '../core/objects.js'
import { readBytes } from '../core/read-bytes.js'
import { HubUnavailableError } from '../errors.js'
import { isSliceable, type RequestBody } from '../http/request-body.js'
import { say } from '../language/say.js'
import { type HubRequestContext, hubResponseError } from './errors.js'
import { type HubRequest, type HubResponse, shownUrl } from './request.js'

/** Largest response of an API call, such as a page of a listing. Files are streamed instead. */
const responseBytesMax = 256 * 1024 * 1024
/** Characters of a response body that is not JSON shown in a message. */
const textCharsMax = 300

/**
 * Serves one `fetch` call of @huggingface/hub through `request`. The client reads JSON and follows no redirects itself.
 * X-Error-Code is added to the body of an error response, because the client keeps the body only.
 */
export async function fetchThrough(
  request: (url: string, request: HubRequest) => Promise<HubResponse>,
  input: string | URL | Request,
  init: (RequestInit & { progressHint?: { progressCallback?: (progress: number) => void } }) | undefined,
): Promise<Response> {
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url
  const body = init?.body as RequestBody | undefined
  const response = await request(url, {
    method: init?.method ?? 'GET',
    headers: Object.fromEntries(new Headers(init?.headers)),
    ...(body === undefined || body === null ? {} : { body }),
    onSent: progressOf(body, init?.progressHint?.progressCallback),
    signal: init?.signal ?? undefined,
    redirect: init?.redirect === 'manual' ? 'manual' : 'follow',
    repeatable: !url.includes('create_pr=1'),
  })
  const headers = new Headers()
  for (const [name, value] of Object.entries(response.headers)) if (value !== undefined) headers.set(name, value)
  const failed = response.status >= 400
  const content = failed ? await withErrorCode(response) : await readAll(response)
  if (failed) headers.delete('content-length')
  const empty = response.status === 204 || response.status === 304 || init?.method === 'HEAD'
  const fetched = new Response(empty ? null : new Uint8Array(content), { status: response.status, headers })
  Object.defineProperty(fetched, 'url', { value: response.url })
  return fetched
}

/** Returns the error text of a response: the field `error` of a JSON body, or the start of any other body. */
export async function errorTextOf(response: HubResponse): Promise<string> {
  const text = (await readAll(response)).toString('utf8')
  try {
    const body: unknown = JSON.parse(text)
    return String((isRecord(body) ? body.error : null) ?? '')
  } catch {
    // Not JSON: a page of a proxy, for example.
    return text.slice(0, textCharsMax)
  }
}

/** Returns the error for a response with an error status and this body. */
export function responseError(response: HubResponse, text: string, context: HubRequestContext): Error {
  const errorCode = response.headers['x-error-code']
  const message = response.headers['x-error-message'] ?? text.slice(0, textCharsMax)
  return hubResponseError({ status: response.status, errorCode, message }, context)
}

/** @throws {HubUnavailableError} the body is not the JSON that the API documents, as in a response of a proxy */
export function parseJson<Schema extends z.ZodType>(schema: Schema, text: string, url: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw new HubUnavailableError(
      say`${shownUrl(url)} did not return the JSON of the Hub's API
        (${JSON.stringify(text.slice(0, textCharsMax))}): check HF_ENDPOINT and the proxy, then run the
        same command again`,
      { cause },
    )
  }
}

function readAll({ url, body }: HubResponse): Promise<Buffer> {
  const tooLarge = () =>
    new HubUnavailableError(
      say`${shownUrl(url)} returned more than ${responseBytesMax} bytes, too much for an API call`,
    )
  return readBytes(body, responseBytesMax, tooLarge)
}

async function withErrorCode(response: HubResponse): Promise<Buffer> {
  const content = await readAll(response)
  const errorCode = response.headers['x-error-code']
  if (errorCode === undefined || !response.headers['content-type']?.startsWith('application/json')) return content
  return Buffer.from(JSON.stringify({ ...JSON.parse(content.toString('utf8')), errorCode }))
}

function progressOf(
  body: RequestBody | undefined,
  progress: ((progress: number) => void) | undefined,
): ((bytes: number) => void) | undefined {
  if (progress === undefined || body === undefined || !isSliceable(body)) return undefined
  const { size } = body
  return (bytes) => progress(bytes / size)
}
