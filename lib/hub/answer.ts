/** Answers of the Hub for its JavaScript client, as `fetch` gives them, and for messages. */
import { HubUnavailableError } from '../errors.js'
import { isSliceable, type RequestBody } from './body.js'
import { type HubRequest, type HubResponse, plain } from './request.js'

/** Answers to the client are calls of the API: a page of a listing, a commit. Files come through `request`. */
const answerBytesMax = 256 * 1024 * 1024

/** The client reads JSON and follows nothing itself; X-Error-Code goes into the error's body, which it keeps. */
export async function asFetch(
  request: (url: string, request: HubRequest) => Promise<HubResponse>,
  input: string | URL | Request,
  init: (RequestInit & { progressHint?: { progressCallback?: (progress: number) => void } }) | undefined,
): Promise<Response> {
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url
  const body = init?.body as RequestBody | undefined
  const answer = await request(url, {
    method: init?.method ?? 'GET',
    headers: Object.fromEntries(new Headers(init?.headers as Record<string, string>)),
    ...(body === undefined || body === null ? {} : { body }),
    onSent: progressOf(body, init?.progressHint?.progressCallback),
    signal: init?.signal ?? undefined,
    redirect: init?.redirect === 'manual' ? 'manual' : 'follow',
    repeatable: !url.includes('create_pr=1'),
  })
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) headers.set(name, value)
  const refused = answer.status >= 400
  const content = refused ? await withErrorCode(answer) : await whole(answer)
  if (refused) headers.delete('content-length')
  const empty = answer.status === 204 || answer.status === 304 || init?.method === 'HEAD'
  const response = new Response(empty ? null : new Uint8Array(content), { status: answer.status, headers })
  Object.defineProperty(response, 'url', { value: answer.url })
  return response
}

/** What a refusal says, shortened. */
export async function sayingOf(answer: HubResponse): Promise<string> {
  const text = (await whole(answer)).toString('utf8')
  try {
    return String((JSON.parse(text) as { error?: string }).error ?? '')
  } catch {
    // Not JSON, as from a proxy: the words themselves, the first of them.
    return text.slice(0, 200)
  }
}

async function whole(answer: HubResponse): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer.body as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > answerBytesMax) {
      throw new HubUnavailableError(
        `${plain(answer.url)} answered more than ${answerBytesMax} bytes: read files as shards`,
      )
    }
    parts.push(part)
  }
  return Buffer.concat(parts)
}

async function withErrorCode(answer: HubResponse): Promise<Buffer> {
  const content = await whole(answer)
  const errorCode = answer.headers['x-error-code']
  if (errorCode === undefined || !answer.headers['content-type']?.startsWith('application/json')) return content
  return Buffer.from(JSON.stringify({ ...(JSON.parse(content.toString('utf8')) as object), errorCode }))
}

function progressOf(
  body: RequestBody | undefined,
  progress: ((progress: number) => void) | undefined,
): ((bytes: number) => void) | undefined {
  if (progress === undefined || body === undefined || !isSliceable(body)) return undefined
  const { size } = body
  return (bytes) => progress(bytes / size)
}
