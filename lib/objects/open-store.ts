/** Opens a store from its address, and refuses one in which two writers of a key may both believe they were first. */
import { randomBytes } from 'node:crypto'
import { InvalidOptionError, StoreRefusedError } from '../errors.js'
import { reportWaits } from '../http/retry-messages.js'
import { say } from '../language/say.js'
import { closeAfter } from '../storage/close-all.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { directoryStore } from './directory-store.js'
import type { ObjectStore } from './object-store.js'
import { isS3Address } from './s3/address.js'
import type { S3StoreOptions } from './s3-store.js'

/** Options for `openObjectStore`; all optional. */
interface OpenStoreOptions {
  /** Skips the trial of two writes: for commands that only read. Default false. */
  readonly readOnly?: boolean
  readonly files?: FileLayer
  readonly s3?: S3StoreOptions
  /** Called with retries of a bucket that does not respond. */
  readonly onEvent?: ((message: string) => void) | undefined
}

/**
 * Opens a store and tries it: writes one object twice, which the store must refuse, and removes it.
 *
 * @param where a path, or s3://bucket/prefix
 * @throws {StoreRefusedError} the second write was accepted, or the store has no conditional writes or hard links
 * @throws {StoreAccessError} the bucket does not exist or refuses the keys
 * @throws {InvalidOptionError} the address is not valid
 */
export async function openObjectStore(where: string, options: OpenStoreOptions = {}): Promise<ObjectStore> {
  const store = await storeAt(where, options)
  if (options.readOnly === true) return store
  try {
    await checkFirstWins(store)
  } catch (error) {
    return closeAfter(error, [() => store.close()])
  }
  return store
}

async function storeAt(where: string, { files = nodeFiles, s3 = {}, onEvent }: OpenStoreOptions): Promise<ObjectStore> {
  if (isS3Address(where)) {
    const { s3Store } = await import('./s3-store.js')
    return s3Store(where, { files, ...s3, transport: { ...(onEvent && reportWaits(onEvent)), ...s3.transport } })
  }
  const scheme = /^(\w[\w+.-]+):\/\//.exec(where)?.[1]
  if (scheme === undefined && where !== '') return directoryStore(where, files)
  throw new InvalidOptionError(say`the store is given as ${JSON.stringify(where)}: write a path, or s3://bucket/prefix`)
}

/** Folder of the trial object. */
const probeFolder = '.probe'

/** @throws {StoreRefusedError} the store accepts a second write of an object */
export async function checkFirstWins(store: ObjectStore): Promise<void> {
  const key = `${probeFolder}/${randomBytes(8).toString('hex')}`
  const [first, second] = [Buffer.from('first'), Buffer.from('second')]
  try {
    await store.putIfAbsent(key, first)
    if (await store.putIfAbsent(key, second)) throw refused(store)
    if (!Buffer.from((await store.get(key)) ?? []).equals(first)) throw refused(store)
  } catch (error) {
    return closeAfter(error, [() => store.remove(key)])
  }
  await store.remove(key)
}

function refused({ url }: ObjectStore): StoreRefusedError {
  return new StoreRefusedError(
    say`${url} accepted a second write of an object that may be written only once, so two workers could both
      believe that their result is the one: use a store with conditional writes (If-None-Match), or a directory`,
    { details: { store: url } },
  )
}
