/** One connection to Redis or Valkey, with the same limits everywhere. */
import type { Redis } from 'ioredis'
import { asError, errorMessage } from '../caught-error.js'
import { QueueAccessError, QueueError } from '../errors.js'
import { say } from '../language/say.js'
import type { QueuePackages } from './packages.js'
import type { QueueAddress } from './queue-address.js'

const connectMsMax = 10_000
const retryMsMin = 200
const retryMsMax = 5_000
/** Time limit of one operation; a stopped server keeps connections open and does not respond. */
export const operationMsMax = 15_000

/** Opens a connection. It reconnects by itself until it is closed. @throws {QueueAccessError | QueueError} */
export async function connectQueue(address: QueueAddress, { Redis }: QueuePackages, msMax: number): Promise<Redis> {
  const redis = new Redis({
    ...{ host: address.host, port: address.port, db: address.database, tls: address.tls },
    ...{ username: address.username, password: address.password },
    lazyConnect: true,
    connectTimeout: connectMsMax,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(retryMsMin * 2 ** times, retryMsMax),
  })
  let last: Error | null = null
  redis.on('error', (error: Error) => {
    last = error
  })
  try {
    await within(msMax, opened(redis))
    return redis
  } catch (error) {
    redis.disconnect()
    throw queueError(address, last ?? asError(error))
  }
}

/** Resolves when the connection can be used; rejects if the server refuses the user. Retries anything else. */
async function opened(redis: Redis): Promise<void> {
  let refuse: (error: Error) => void = () => undefined
  const refused = new Promise<never>((_, reject) => {
    refuse = (error) => {
      if (isAccessError(error)) reject(error)
    }
  })
  redis.on('error', refuse)
  const ready = new Promise<void>((resolve) => redis.once('ready', resolve))
  redis.connect().catch(() => undefined) // reported by the event; it connects again by itself
  try {
    await Promise.race([ready, refused])
    await Promise.race([redis.ping(), refused])
  } finally {
    redis.off('error', refuse)
  }
}

/** Rejects if the work takes longer; Infinity sets no limit. */
export async function within<T>(msMax: number, work: Promise<T>): Promise<T> {
  if (msMax === Number.POSITIVE_INFINITY) return work
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no response within ${msMax / 1000} s`)), msMax)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined) // its result after the limit is not awaited
  }
}

/** Refused by a password, an ACL, or a setting; trying again does not help. */
function isAccessError(error: unknown): boolean {
  return /\b(?:WRONGPASS|NOAUTH|NOPERM)\b|Client sent AUTH|invalid password|self[- ]signed|certificate|wrong version number/i.test(
    error === null || error === undefined ? '' : errorMessage(error),
  )
}

export function queueError(address: QueueAddress, cause: Error): QueueError | QueueAccessError {
  if (cause instanceof QueueError || cause instanceof QueueAccessError) return cause
  if (isAccessError(cause)) {
    return new QueueAccessError(
      say`the queue ${address.label} refused the connection: ${cause.message}; check user, password, ACL and certificate`,
      { cause },
    )
  }
  return new QueueError(say`the queue ${address.label} cannot be reached: ${cause.message}`, { cause })
}
