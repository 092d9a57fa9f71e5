/** Endpoint, region and keys of S3: from the AWS_* variables, then the profile files, as its command line reads them. */
import { processSecrets } from '../../core/redaction.js'
import { InvalidOptionError, StoreAccessError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { S3Addressing } from './address.js'
import { type Profile, readProfile } from './profile.js'
import type { S3Credentials } from './signature.js'

type Environment = Readonly<Record<string, string | undefined>>

export interface S3Settings {
  /** Null: that of AWS in the region. */
  readonly endpoint: URL | null
  readonly region: string
  /** Null: requests are not signed, which serves public buckets. */
  readonly credentials: S3Credentials | null
  /** Where the keys were found, or why there are none; for messages. */
  readonly credentialsFrom: string
  readonly addressing: S3Addressing | undefined
}

/**
 * Reads the settings again: keys in a profile may have been renewed.
 *
 * @throws {InvalidOptionError} AWS_ENDPOINT_URL is not an address, or holds a password
 * @throws {StoreAccessError} only one of the two keys is set
 */
export function s3Settings(environment: Environment = process.env): S3Settings {
  const given = (name: string): string | undefined => environment[name]?.trim() || undefined
  const profile = readProfile(environment)
  const endpoint = given('AWS_ENDPOINT_URL_S3') ?? given('AWS_ENDPOINT_URL') ?? profile.endpoint_url
  const region = given('AWS_REGION') ?? given('AWS_DEFAULT_REGION') ?? profile.region ?? 'us-east-1'
  if (!/^[\w-]+$/.test(region)) {
    throw new InvalidOptionError(say`AWS_REGION is ${JSON.stringify(region)}: write a name such as eu-central-1`)
  }
  return {
    endpoint: endpoint === undefined ? null : endpointOf(endpoint),
    region,
    ...credentialsOf(given, profile),
    addressing: addressingOf(given('AWS_S3_ADDRESSING_STYLE') ?? profile['s3.addressing_style']),
  }
}

/** Returns the endpoint of AWS in a region. */
export function awsEndpoint(region: string): URL {
  return new URL(`https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`)
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidOptionError(
      say`AWS_ENDPOINT_URL must begin with http:// or https://: found ${shownEndpoint(text)}`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidOptionError(
      say`AWS_ENDPOINT_URL contains a user or a password (not shown): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    )
  }
  return url
}

function shownEndpoint(text: string): string {
  return JSON.stringify(text.replace(/[^/@]*@/, '***@'))
}

function addressingOf(text: string | undefined): S3Addressing | undefined {
  if (text === undefined || text === 'auto') return undefined
  if (text === 'path' || text === 'virtual') return text
  throw new InvalidOptionError(say`AWS_S3_ADDRESSING_STYLE is ${JSON.stringify(text)}: write path, virtual or auto`)
}

function credentialsOf(
  given: (name: string) => string | undefined,
  profile: Profile,
): Pick<S3Settings, 'credentials' | 'credentialsFrom'> {
  const [id, secret] = [given('AWS_ACCESS_KEY_ID'), given('AWS_SECRET_ACCESS_KEY')]
  if ((id === undefined) !== (secret === undefined)) {
    throw new StoreAccessError(say`only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set: set both`)
  }
  if (id !== undefined && secret !== undefined) {
    return found(id, secret, given('AWS_SESSION_TOKEN'), 'AWS_ACCESS_KEY_ID')
  }
  const { aws_access_key_id: ownId, aws_secret_access_key: ownSecret, aws_session_token: token } = profile
  if (ownId && ownSecret) return found(ownId, ownSecret, token, given('AWS_PROFILE') ?? '~/.aws/credentials')
  return { credentials: null, credentialsFrom: 'AWS_ACCESS_KEY_ID (not set)' }
}

function found(
  accessKeyId: string,
  secretAccessKey: string,
  sessionToken: string | undefined,
  credentialsFrom: string,
): Pick<S3Settings, 'credentials' | 'credentialsFrom'> {
  processSecrets.add(secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken]))
  return { credentials: { accessKeyId, secretAccessKey, sessionToken }, credentialsFrom }
}
