/** Addresses s3://bucket/prefix, and the URL of an object: bucket in the host name, or at the start of the path. */
import { isIP } from 'node:net'
import { InvalidOptionError } from '../../errors.js'
import { say } from '../../language/say.js'
import { encoded } from './signature.js'

interface S3Address {
  readonly bucket: string
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string
}

/** `virtual`: https://bucket.host/key · `path`: https://host/bucket/key */
export type S3Addressing = 'virtual' | 'path'

export function isS3Address(where: string): boolean {
  return /^s3:\/\//i.test(where)
}

/** @throws {InvalidOptionError} not s3://bucket/prefix with the name of a bucket */
export function parseS3Address(where: string): S3Address {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]*)\/*(.*?)\/*$/is.exec(where) ?? []
  // Source: AWS, "Bucket naming rules"; upper case and _ are old names, still used by other servers.
  if (/^[a-z0-9][\w.-]{1,62}$/i.test(bucket) && !bucket.includes('..')) return { bucket, prefix }
  throw new InvalidOptionError(
    say`the address of the bucket is ${JSON.stringify(where)}: write s3://bucket/prefix, with keys and endpoint in
      AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL`,
  )
}

/** Services that answer only, or best, with the bucket in the host name. */
const virtualHosts = /\.(?:amazonaws\.com(?:\.cn)?|aliyuncs\.com|myqcloud\.com|volces\.com|myhuaweicloud\.com)$/

/** Returns how to address a bucket: a certificate for *.host does not cover a bucket with dots. */
export function addressingOf(endpoint: URL, bucket: string, chosen?: S3Addressing | undefined): S3Addressing {
  if (chosen !== undefined) return chosen
  const { hostname, protocol } = endpoint
  const plain = isIP(hostname.replace(/^\[|\]$/g, '')) === 0 && !(protocol === 'https:' && bucket.includes('.'))
  return plain && virtualHosts.test(hostname) ? 'virtual' : 'path'
}

/** Returns the URL of a key, or of the bucket for an empty key. */
export function objectUrl(endpoint: URL, bucket: string, key: string, addressing: S3Addressing, query = ''): URL {
  const url = new URL(endpoint)
  const base = url.pathname.replace(/\/+$/, '')
  if (addressing === 'virtual') url.hostname = `${bucket}.${url.hostname}`
  const path = key.split('/').map(encoded).join('/')
  url.pathname = addressing === 'virtual' ? `${base}/${path}` : `${base}/${bucket}/${path}`
  url.search = query
  return url
}
