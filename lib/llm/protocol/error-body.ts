/**
 * Parses error bodies of any shape: codes, words, the status and the field that they name.
 * Owns the shapes of error bodies; failure-table.ts classifies them.
 */

import { asObject, type Json, shownJson } from './json.js'

/** A server's error in one form for all servers. */
export interface ServerErrorInfo {
  /** Codes and types in lower case without punctuation; a bare number carries its origin: `code1113`, `qianfan336007`. */
  readonly codes: readonly string[]
  /** The most specific code as the server spelled it, or null. */
  readonly serverCode: string | null
  /** Error text of the server, at most `wordsCharsMax`. */
  readonly words: string
  /** HTTP status in the body (`code: 400` inside a 200), or null. */
  readonly status: number | null
  /** The request field that the server blames, or null. */
  readonly param: string | null
  /** Wait requested by the body ("estimated_time": 20), or null. */
  readonly waitMs: number | null
}

/** Characters of a server's words that are read: an error may repeat the whole prompt. */
const wordsCharsMax = 2000

/** Parses the body of a response with an error status. Text that is not JSON is used as the words. */
export function readErrorBody(text: string): ServerErrorInfo {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return said({}, {}, textOfPage(text)) // a proxy's page or plain text: used as the error text
  }
  // Gemini wraps its error in a list.
  const outer = asObject(Array.isArray(body) ? body[0] : body)
  const inner = asObject(outer.error)
  return said(outer, inner, wordsOf(outer, inner) ?? text)
}

/**
 * Returns the error inside a response of status 200 or an event of a stream; null if it has none.
 * `error: null`, `error: {}`, `error: ""` and a `code` beside choices are not errors.
 */
export function embeddedError(body: Json): ServerErrorInfo | null {
  const { error } = body
  const inner = asObject(Array.isArray(error) ? error[0] : error)
  const named = typeof error === 'string' ? error !== '' : error === true || Object.keys(inner).length > 0
  const minimax = Number(asObject(body.base_resp).status_code ?? 0)
  const coded = 'error_code' in body || 'error_msg' in body || body.object === 'error' || isErrorCode(body.code)
  const detailed = body.detail !== undefined && body.detail !== null
  const bare = !('choices' in body) && (coded || detailed)
  if (!named && minimax === 0 && !bare) return null
  return said(body, inner, wordsOf(body, inner) ?? shownJson(error ?? body))
}

/** Returns the error of one choice of a list, as routers send it; null if it has none. */
export function choiceError({ error }: Json): ServerErrorInfo | null {
  return error === undefined || error === null ? null : embeddedError({ error, choices: [] })
}

function said(outer: Json, inner: Json, words: string): ServerErrorInfo {
  const spelled = [
    asObject(inner.innererror).code,
    inner.code,
    inner.type,
    inner.status,
    asObject(inner.metadata).error_type,
    outer.code,
    outer.type,
    outer.error_type,
    outer.error_code,
    asObject(outer.base_resp).status_code,
  ]
  const origins = ['', 'code', '', '', '', 'code', '', '', 'qianfan', 'minimax']
  const named = spelled.flatMap((value, place) => {
    const code = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    const normal = code.toLowerCase().replace(/[^a-z0-9]/g, '')
    if (normal === '' || statusOf(code) !== null) return []
    return [{ code, normal: /^\d+$/.test(normal) ? `${origins[place]}${normal}` : normal }]
  })
  const statuses = [inner.code, inner.status, inner.status_code, outer.code, outer.status, outer.status_code]
  const waitSeconds = Number(outer.estimated_time ?? Number.NaN)
  return {
    codes: named.map(({ normal }) => normal),
    serverCode: named[0]?.code.slice(0, codeCharsMax) ?? null,
    words: words.slice(0, wordsCharsMax),
    status: statuses.map((value) => statusOf(String(value))).find((status) => status !== null) ?? null,
    param: paramOf(outer, inner),
    waitMs: waitSeconds >= 0 && Number.isFinite(waitSeconds) ? waitSeconds * 1000 : null,
  }
}

const codeCharsMax = 100

/** Returns the innermost text: a router puts that of the server behind it into `metadata.raw`. */
function wordsOf(outer: Json, inner: Json): string | null {
  const message =
    (typeof outer.error === 'string' && outer.error !== '' ? outer.error : undefined) ??
    inner.message ??
    inner.msg ??
    outer.message ??
    outer.error_msg ??
    asObject(outer.base_resp).status_msg ??
    detailOf(outer.detail) ??
    outer.msg
  if (message === undefined || message === null || message === '') return null
  const raw = asObject(inner.metadata).raw
  const words = typeof message === 'string' ? message : shownJson(message)
  return raw === undefined || raw === null ? words : `${words}: ${typeof raw === 'string' ? raw : shownJson(raw)}`
}

/** Joins FastAPI's list of validation errors; omits `input`, which repeats the request. */
function detailOf(detail: unknown): unknown {
  if (!Array.isArray(detail)) return detail
  return detail
    .map(asObject)
    .map(({ loc, msg, type }) => `${Array.isArray(loc) ? loc.join('.') : 'request'}: ${msg ?? ''} (${type ?? ''})`)
    .join('; ')
}

function paramOf(outer: Json, inner: Json): string | null {
  const loc = Array.isArray(outer.detail) ? asObject(outer.detail[0]).loc : undefined
  const param = inner.param ?? outer.param ?? (Array.isArray(loc) ? loc.at(-1) : undefined)
  return typeof param === 'string' && param !== '' ? param.slice(0, codeCharsMax) : null
}

/** Returns the text of a proxy's HTML page; other text unchanged. */
function textOfPage(text: string): string {
  const start = text.slice(0, 8 * wordsCharsMax)
  return /^\s*<(?:!doctype|html)/i.test(start) ? start.replace(/<[^<>]{0,500}>/g, ' ').trim() : start
}

/** Whether a number is an HTTP error status; other numbers are the server's own codes. */
function statusOf(code: string): number | null {
  const status = /^[45]\d\d$/.test(code.trim()) ? Number(code) : null
  return status
}

function isErrorCode(code: unknown): boolean {
  if (typeof code === 'number') return code !== 0 && code !== 200
  return typeof code === 'string' && !/^(?:0|200|ok|success)?$/i.test(code)
}
