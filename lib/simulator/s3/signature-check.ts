/**
 * Checks the Authorization header of a request as S3 does. Written from the raw request, apart from the client that
 * signs. Source: AWS, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { S3Refusal } from './refusal.js'

export interface SimulatedKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Every request must carry it, if given. */
  readonly sessionToken?: string
}

interface CheckContext {
  readonly keys: SimulatedKeys
  readonly region: string
  readonly nowMs: number
}

/** S3 accepts a request for 15 minutes. */
const clockSkewMsMax = 15 * 60_000

/** @throws {S3Refusal} the signature, the time or the token is not valid */
export function checkSignature(request: IncomingMessage, { keys, region, nowMs }: CheckContext): void {
  const { headers } = request
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
  const [, id, day, given, names, signature] = pattern.exec(headers.authorization ?? '') ?? []
  if (!id || !day || !given || !names || !signature) throw new S3Refusal(403, 'AccessDenied', 'Access Denied')
  if (id !== keys.accessKeyId) throw new S3Refusal(403, 'InvalidAccessKeyId', `no account has the key ${id}`)
  if (given !== region) {
    const message = `the authorization header is malformed; the region '${given}' is wrong; expecting '${region}'`
    throw new S3Refusal(400, 'AuthorizationHeaderMalformed', message, { 'x-amz-bucket-region': region })
  }
  const date = one(headers['x-amz-date'])
  if (Math.abs(timeOf(date) - nowMs) > clockSkewMsMax || !date.startsWith(day)) {
    throw new S3Refusal(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the server time is too large',
    )
  }
  if (keys.sessionToken !== undefined && one(headers['x-amz-security-token']) !== keys.sessionToken) {
    throw new S3Refusal(400, 'ExpiredToken', 'The provided token has expired.')
  }
  const signedNames = names.split(';')
  const unsigned = Object.keys(headers).filter((name) => name.startsWith('x-amz-') && !signedNames.includes(name))
  if (unsigned.length > 0 || !signedNames.includes('host'))
    throw new S3Refusal(403, 'AccessDenied', 'headers are not signed')
  const scope = `${day}/${region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical(request, signedNames))}`
  let key: Buffer = hmac(Buffer.from(`AWS4${keys.secretAccessKey}`), day)
  for (const part of [region, 's3', 'aws4_request']) key = hmac(key, part)
  if (timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex'))) return
  throw new S3Refusal(
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the one you provided',
  )
}

function canonical(request: IncomingMessage, names: readonly string[]): string {
  const [path = '/', query = ''] = (request.url ?? '/').split('?')
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
  const lines = names.map((name) => `${name}:${one(request.headers[name]).trim()}\n`)
  const hash = one(request.headers['x-amz-content-sha256'])
  return `${request.method}\n${path}\n${pairs.join('&')}\n${lines.join('')}\n${names.join(';')}\n${hash}`
}

/** '20260102T030405Z' → ms since the epoch. */
function timeOf(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function one(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(',') : (value ?? '')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
