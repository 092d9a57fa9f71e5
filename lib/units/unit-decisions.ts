/** Decisions that records of a unit are dropped: decided/{unit}/NNNNNN.json, numbered from 0, never replaced. */
import { z } from 'zod'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { RejectReasonName } from '../reject-reasons.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import { decisionKey } from './unit-keys.js'

const decision = z.strictObject({
  records: z.array(z.string().regex(/^[0-9a-f]{32}$/)).min(1),
  reason: z.enum(['worker-lost', 'unit-poison'] satisfies RejectReasonName[]),
})

async function readDecision(store: ObjectStore, id: string, number: number): Promise<z.output<typeof decision> | null> {
  const key = decisionKey(id, number)
  const bytes = await store.get(key)
  if (bytes === null) return null
  const path = `${store.url}/${key}`
  const { data } = decision.safeParse(decodeSealed(bytes, path, say`Restore it from a backup`))
  if (data === undefined) throw new CorruptFileError(say`${path} is damaged. Restore it from a backup`)
  return data
}

/** Returns the records of a unit that are dropped: reason by id. */
export async function readDecisions(store: ObjectStore, id: string): Promise<ReadonlyMap<string, string>> {
  const decided = new Map<string, string>()
  for (let number = 0; ; number++) {
    const found = await readDecision(store, id, number)
    if (found === null) return decided
    for (const record of found.records) if (!decided.has(record)) decided.set(record, found.reason)
  }
}

/** Stores a decision for the records that have none. */
export async function writeDecision(
  store: ObjectStore,
  id: string,
  records: readonly string[],
  reason: string,
): Promise<void> {
  let missing = [...new Set(records)]
  for (let number = 0; missing.length > 0; number++) {
    let known = await readDecision(store, id, number)
    if (known === null) {
      const bytes = Buffer.from(encodeSealed(decision.parse({ records: missing, reason })))
      if (await store.putIfAbsent(decisionKey(id, number), bytes)) return
      known = await readDecision(store, id, number)
    }
    const decided = new Set(known?.records)
    missing = missing.filter((record) => !decided.has(record))
  }
}
