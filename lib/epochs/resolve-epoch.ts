/** The last job of an epoch: decides on its rows in input order, in one process. */
import { join } from 'node:path'
import { type EarlierFinding, EpochResolver } from '../dedup/epoch-resolver.js'
import type { DecidePlan } from '../dedup/plan.js'
import type { Duplicate } from '../dedup/types.js'
import { ContractError } from '../errors.js'
import { directoryStore } from '../objects/directory-store.js'
import type { ObjectStore } from '../objects/object-store.js'
import { type Epoch, type EpochObjects, slicesOf, textsKey } from './epoch-objects.js'
import { textComparer } from './settle-slice.js'
import { readSlice } from './slice.js'

/** Decides on an epoch whose slices are settled; the first epoch has nothing to settle. No-op if it is resolved. */
export async function resolveEpoch(
  objects: EpochObjects,
  plan: DecidePlan,
  epoch: Epoch,
  { scratch, signal }: { readonly scratch: string; readonly signal: AbortSignal },
): Promise<void> {
  if (await objects.isResolved(epoch)) return
  const texts = await localTexts(objects.store, epoch, scratch)
  try {
    const resolver = new EpochResolver(plan, await textComparer(plan, texts))
    for (const slice of slicesOf(epoch)) {
      signal.throwIfAborted()
      const earlier = epoch.epoch === 0 ? noFindings : await objects.settled(slice)
      if (earlier === null) throw new ContractError(`slice ${slice} is not settled yet`)
      const dropped = new Map<number, Duplicate>()
      const fullBands = new Map<number, readonly number[]>()
      for (const [number, row] of (await readSlice(objects.store, slice)).entries()) {
        const resolved = await resolver.resolve(row, earlier.get(number) ?? null)
        if (resolved.duplicate !== null) dropped.set(number, resolved.duplicate)
        else if (resolved.fullBands.length > 0) fullBands.set(number, resolved.fullBands)
      }
      await objects.putVerdicts(slice, { dropped, fullBands })
    }
  } finally {
    if (texts !== objects.store) for (const slice of slicesOf(epoch)) await texts.remove(textsKey(slice))
  }
}

const noFindings: ReadonlyMap<number, EarlierFinding> = new Map()

/** Returns a store with the texts of the epoch that is fast to read at random: copies of those in a bucket. */
async function localTexts(store: ObjectStore, epoch: Epoch, scratch: string): Promise<ObjectStore> {
  if (store.directory !== null) return store
  for (const slice of slicesOf(epoch)) await store.getFile(textsKey(slice), join(scratch, textsKey(slice)))
  return directoryStore(scratch)
}
