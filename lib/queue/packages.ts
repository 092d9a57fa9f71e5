/** Loads the optional packages of the queue when they are first needed. */
import { errorCode } from '../caught-error.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'

export interface QueuePackages {
  readonly bullmq: typeof import('bullmq')
  readonly Redis: typeof import('ioredis').Redis
}

/** @throws {UsageError} bullmq or ioredis is not installed */
export async function loadQueuePackages(
  load: (name: 'bullmq' | 'ioredis') => Promise<unknown> = importPackage,
): Promise<QueuePackages> {
  try {
    const bullmq = (await load('bullmq')) as typeof import('bullmq')
    const { Redis } = (await load('ioredis')) as typeof import('ioredis')
    return { bullmq, Redis }
  } catch (error) {
    if (errorCode(error) !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UsageError(
      say`a queue needs the packages bullmq and ioredis, which are not installed: run npm install bullmq ioredis (with -g if kun-stream was installed with it)`,
      { cause: error },
    )
  }
}

function importPackage(name: 'bullmq' | 'ioredis'): Promise<unknown> {
  return name === 'bullmq' ? import('bullmq') : import('ioredis')
}
