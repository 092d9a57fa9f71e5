/** `--queue redis://…`, `rediss://…` or `env:NAME`: where the queue is. The password is never part of a message. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { errorMessage } from '../caught-error.js'
import { processSecrets, secretsOfUrl } from '../core/redaction.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'

/** Beginning of every key of every queue; the pattern of an ACL user is `kun:*`. */
export const queuePrefix = 'kun'

export interface QueueAddress {
  /** For messages: scheme, host, port and database. */
  readonly label: string
  readonly host: string
  readonly port: number
  readonly database: number
  readonly username?: string
  readonly password?: string
  /** TLS; `ca` is PEM, by default the authorities of Node. */
  readonly tls?: { readonly servername?: string; readonly ca?: string }
}

interface QueueAddressOptions {
  /** A URL, or `env:NAME`. */
  readonly queue: string
  /** File of certificate authorities in PEM, for rediss:// */
  readonly caFile?: string
}

/** @throws {UsageError} the address is not valid, its variable is not set, or the file of authorities cannot be read */
export async function readQueueAddress(
  { queue, caFile }: QueueAddressOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<QueueAddress> {
  const text = resolved(queue, environment)
  processSecrets.add(...secretsOfUrl(text))
  // A value that cannot be parsed may contain a password: it is not repeated.
  if (!URL.canParse(text)) throw invalid(queue)
  const url = new URL(text)
  if ((url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') throw invalid(queue)
  const database = url.pathname.length > 1 ? Number(url.pathname.slice(1)) : 0
  if (!Number.isInteger(database) || url.search !== '') throw invalid(queue)
  const secure = url.protocol === 'rediss:'
  if (caFile !== undefined && !secure)
    throw new UsageError(say`--queue-ca requires an address that begins with rediss://`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? 6379 : Number(url.port)
  return {
    label: `${url.protocol}//${url.hostname}:${port}/${database}`,
    host,
    port,
    database,
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(secure && {
      tls: {
        // SNI has names only.
        ...(isIP(host) === 0 && { servername: host }),
        ...(caFile !== undefined && { ca: await readAuthorities(caFile) }),
      },
    }),
  }
}

function resolved(queue: string, environment: Readonly<Record<string, string | undefined>>): string {
  if (!queue.startsWith('env:')) return queue
  const name = queue.slice('env:'.length)
  const value = environment[name]?.trim()
  if (!value) throw new UsageError(say`--queue: the environment variable ${name} is not set`)
  return value
}

function invalid(queue: string): UsageError {
  const what = queue.startsWith('env:') ? queue : '--queue'
  return new UsageError(
    say`${what} is not the address of a queue: expected redis://[user:password@]host[:port][/database], rediss://… for TLS, or env:NAME`,
  )
}

async function readAuthorities(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new UsageError(say`--queue-ca: cannot read ${path}: ${errorMessage(cause)}`, { cause })
  }
}
