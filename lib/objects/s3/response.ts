/** Responses of S3: error codes, and the fields that are read from its XML. */

import type { Dispatcher } from 'undici'
import { readBytes } from '../../core/read-bytes.js'
import { StoreUnavailableError } from '../../errors.js'
import { say } from '../../language/say.js'

export interface S3Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Dispatcher.ResponseData['body']
}

/** What an error response says. */
export interface S3Error {
  readonly status: number
  /** 'NoSuchKey', 'SlowDown' …; empty if the body has none, as in a response to HEAD. */
  readonly code: string
  readonly message: string
  /** The region that the bucket is in, if the response says it. */
  readonly region: string | undefined
}

/** Far more than a page of 1,000 keys of 1,024 bytes, percent-encoded. */
const xmlBytesMax = 8 * 1024 * 1024

/** @throws {StoreUnavailableError} the body is larger than any response of the API */
export async function readText({ body }: S3Response): Promise<string> {
  const tooLarge = () =>
    new StoreUnavailableError(say`the object store returned more than ${xmlBytesMax} bytes for a call of its API`)
  return (await readBytes(body, xmlBytesMax, tooLarge)).toString('utf8')
}

export function parseError(response: S3Response, text: string): S3Error {
  return {
    status: response.status,
    code: field(text, 'Code') ?? '',
    message:
      field(text, 'Message') ??
      text
        .replace(/<[^>]*>|\s+/g, ' ')
        .trim()
        .slice(0, 300),
    region: response.headers['x-amz-bucket-region'] ?? field(text, 'Region'),
  }
}

/** Returns the text of the first element of that name; undefined if there is none. */
export function field(xml: string, name: string): string | undefined {
  return fields(xml, name)[0]
}

/** Returns the texts of all elements of that name, which have no elements inside. */
function fields(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}>`, 'g'))].map(([, text]) =>
    unescaped(text as string),
  )
}

/** Returns the whole content of all elements of that name, none inside another of it. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>(.*?)</${name}>`, 'gs'))].map(
    ([, inner]) => inner as string,
  )
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    return entities[name ?? ''] ?? whole
  })
}

/** Escapes a text for the content of an element. */
export function escaped(text: string): string {
  return text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`)
}
