/**
 * plan/owner.json of a bucket: the local directory whose `prepare` may add to the plan. The log of duplicates is there, and
 * two processes that replace the files of a plan would remove each other's units. A directory store needs none: it has a
 * lock.
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { z } from 'zod'
import { RunLockedError } from '../errors.js'
import { say } from '../language/say.js'
import { directoryStore } from '../objects/directory-store.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { RunDirectory } from '../sinks/index.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import { planOwnerKey } from './unit-keys.js'

const owner = z.strictObject({ token: z.string(), host: z.string(), directory: z.string() })

/**
 * Claims the plan for this directory; the first one wins.
 *
 * @throws {RunLockedError} another directory has it
 */
export async function claimPlan(store: ObjectStore, { directory, files }: RunDirectory): Promise<void> {
  if (store.directory !== null) return
  const local = directoryStore(directory, files)
  const token = randomBytes(16).toString('hex')
  await local.putIfAbsent(planOwnerKey, Buffer.from(encodeSealed({ token, host: hostname(), directory })))
  const own = (await local.get(planOwnerKey)) ?? Buffer.alloc(0)
  if (await store.putIfAbsent(planOwnerKey, own)) return
  const found = (await store.get(planOwnerKey)) ?? Buffer.alloc(0)
  if (Buffer.from(found).equals(own)) return
  throw new RunLockedError(refusal(store.url, found))
}

function refusal(url: string, found: Uint8Array): string {
  const path = `${url}/${planOwnerKey}`
  const { data } = owner.safeParse(decodeSealed(found, path, say`Delete it`))
  const [host, directory] = [data?.host ?? '?', data?.directory ?? '?']
  return say`${url} is prepared on ${host} in ${directory}: continue there. If that host is lost, delete ${path} and run this command again`
}
