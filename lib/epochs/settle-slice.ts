/** The job between search and resolution: decides on the rows of a slice by what the parts have, comparing texts. */
import { mapConcurrent } from '../core/concurrent.js'
import { type EarlierFinding, type Settle, settleEarlier } from '../dedup/epoch-resolver.js'
import type { NearMatch, PartFinding } from '../dedup/index-part.js'
import { ShingleComparer } from '../dedup/jaccard.js'
import type { KeptRow } from '../dedup/kept-frames.js'
import type { DecidePlan } from '../dedup/plan.js'
import { ContractError } from '../errors.js'
import type { ObjectStore } from '../objects/object-store.js'
import { createSigner } from '../text/signature.js'
import type { EpochObjects, EpochSettings } from './epoch-objects.js'
import { readSlice, readTextAt } from './slice.js'

/** Rows whose texts are read concurrently. */
const rowsInFlightMax = 32

/** Settles a slice that every part was searched for. No-op if it is settled. */
export async function settleSlice(
  objects: EpochObjects,
  { parts }: EpochSettings,
  plan: DecidePlan,
  slice: number,
): Promise<void> {
  if (await objects.hasSettled(slice)) return
  const findings = new Map<number, PartFinding[]>()
  for (let part = 0; part < parts; part++) {
    const found = await objects.found(part, slice)
    if (found === null) throw new ContractError(`part ${part} was not searched for slice ${slice} yet`)
    for (const [number, finding] of found) findings.set(number, [...(findings.get(number) ?? []), finding])
  }
  const rows = await readSlice(objects.store, slice)
  const settle = await textComparer(plan, objects.store)
  const numbers = [...findings.keys()].sort((one, other) => one - other)
  const settled = await mapConcurrent(
    numbers,
    rowsInFlightMax,
    async (number): Promise<[number, EarlierFinding]> => [
      number,
      await settleEarlier(plan, rows[number] as KeptRow, findings.get(number) ?? [], settle),
    ],
  )
  await objects.putSettled(slice, new Map(settled))
}

/** Returns a function that compares the texts of a row and of a match, read from a store. */
export async function textComparer({ near }: DecidePlan, store: ObjectStore): Promise<Settle> {
  const comparer = new ShingleComparer(
    await createSigner({ signatureLength: 0, ...(near !== false && { ngram: near.ngram }) }),
  )
  return async ({ at }: NearMatch, { textOffset }: KeptRow) => {
    const [one, other] = await Promise.all([readTextAt(store, at), readTextAt(store, textOffset)])
    return comparer.jaccard(one, other)
  }
}
