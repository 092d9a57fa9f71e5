/** Decisions that a record of a unit is dropped: decided/{unit}/NNNNNN.json, numbered from 0, never replaced. */
import { z } from 'zod'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { RejectReasonName } from '../reject-reasons.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import { decisionKey } from './unit-keys.js'

const decision = z.strictObject({
  record: z.string().regex(/^[0-9a-f]{32}$/),
  reason: z.enum(['worker-lost', 'unit-poison'] satisfies RejectReasonName[]),
})

async function readDecision(store: ObjectStore, id: string, number: number): Promise<z.output<typeof decision> | null> {
  const key = decisionKey(id, number)
  const bytes = await store.get(key)
  if (bytes === null) return null
  const path = `${store.url}/${key}`
  const { data } = decision.safeParse(decodeSealed(bytes, path, 'Restore it from a backup'))
  if (data === undefined) throw new CorruptFileError(say`${path} is damaged. Restore it from a backup`)
  return data
}

/** Returns the records of a unit that are dropped: reason by id. */
export async function readDecisions(store: ObjectStore, id: string): Promise<ReadonlyMap<string, string>> {
  const decided = new Map<string, string>()
  for (let number = 0; ; number++) {
    const found = await readDecision(store, id, number)
    if (found === null) return decided
    decided.set(found.record, found.reason)
  }
}

/** Stores a decision, unless the record has one. */
export async function writeDecision(store: ObjectStore, id: string, record: string, reason: string): Promise<void> {
  const bytes = Buffer.from(encodeSealed(decision.parse({ record, reason })))
  for (let number = 0; ; number++) {
    const known = await readDecision(store, id, number)
    if (known?.record === record) return
    if (known === null && (await store.putIfAbsent(decisionKey(id, number), bytes))) return
  }
}
