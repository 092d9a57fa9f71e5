/**
 * Objects of dedup in epochs, below epochs/ of a store. None is ever replaced: each depends on the input and on
 * epochs/settings.json alone, so any process may write it, and the first one counts.
 *
 * A slice is a range of whole blocks, an epoch a range of slices. Part p of the index has the documents that were kept of
 * slices p, p + parts, p + 2 parts, …
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { mapConcurrent } from '../core/concurrent.js'
import type { EarlierFinding } from '../dedup/epoch-resolver.js'
import type { PartFinding } from '../dedup/index-part.js'
import type { Duplicate } from '../dedup/types.js'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'

const count = z.int().min(0)

const settings = z.strictObject({
  /** Number of parts of the index. */
  parts: z.int().min(1),
  /** Rows from which on an epoch ends. */
  epochRows: z.int().min(1),
})
/** Content of epochs/settings.json. */
export type EpochSettings = Readonly<z.output<typeof settings>>

const epoch = z.strictObject({
  epoch: count,
  firstSlice: count,
  firstBlock: count,
  /** Source cursor after its last block. */
  cursor: z.unknown(),
  /** The blocks of each slice: number of rows, and crc32 of their fingerprints. */
  slices: z.array(z.array(z.tuple([count, count])).min(1)).min(1),
})
/** An epoch that was mapped. */
export type Epoch = Readonly<z.output<typeof epoch>>
/** What an epoch says of a block: number of rows, and crc32 of their fingerprints. */
export type MappedBlock = Epoch['slices'][number][number]

const mapped = z.strictObject({ epochs: count })

const duplicate: z.ZodType<Duplicate> = z.strictObject({
  reason: z.enum(['exact-duplicate', 'near-duplicate']),
  of: z.string(),
  similarity: z.number(),
})
const sharing = z.array(z.tuple([count, count]))
const near = z.strictObject({ at: count, id: z.string(), similarity: z.number(), sure: z.boolean() })
const finding: z.ZodType<PartFinding> = z.strictObject({ equal: z.string().nullable(), near: z.array(near), sharing })
const found = z.strictObject({ found: z.array(z.tuple([count, finding])) })
const earlier: z.ZodType<EarlierFinding> = z.strictObject({ duplicate: duplicate.nullable(), sharing })
const settled = z.strictObject({ earlier: z.array(z.tuple([count, earlier])) })
const resolved = z.strictObject({
  dropped: z.array(z.tuple([count, duplicate])),
  /** Bands that were full before a kept row. */
  full: z.array(z.tuple([count, z.array(count)])),
})

/** Verdicts of a slice, by number of the row in it. */
export interface SliceVerdicts {
  readonly dropped: ReadonlyMap<number, Duplicate>
  readonly fullBands: ReadonlyMap<number, readonly number[]>
}

/** Folder of all of it. */
const folder = 'epochs'
/** Says that the other objects are being removed, and are not complete. */
const discardedKey = `${folder}/discarded.json`
const removalsConcurrent = 32
/** Keys in memory while they are removed. */
const removalKeysMax = 1000
const repair = say`Remove ${folder}/ of the store and run \`kun-stream prepare\` again`

export class EpochObjects {
  constructor(readonly store: ObjectStore) {}

  settings(): Promise<EpochSettings | null> {
    return this.#read(`${folder}/settings.json`, settings)
  }

  /** Returns the settings that are stored: these, or those of an earlier call. */
  async pin(wanted: EpochSettings): Promise<EpochSettings> {
    await this.#put(`${folder}/settings.json`, wanted)
    return (await this.settings()) ?? wanted
  }

  epoch(number: number): Promise<Epoch | null> {
    return this.#read(`${folder}/plan/${digits(number)}.json`, epoch)
  }

  putEpoch(value: Epoch): Promise<void> {
    return this.#put(`${folder}/plan/${digits(value.epoch)}.json`, value)
  }

  /** Returns the number of epochs; null until all of the input is mapped. */
  async epochCount(): Promise<number | null> {
    return (await this.#read(`${folder}/plan/done.json`, mapped))?.epochs ?? null
  }

  putEpochCount(epochs: number): Promise<void> {
    return this.#put(`${folder}/plan/done.json`, { epochs })
  }

  hasFound(part: number, slice: number): Promise<boolean> {
    return this.#has(foundKey(part, slice))
  }

  /** Returns what a part has of a slice, by number of the row; null until it was searched. */
  async found(part: number, slice: number): Promise<ReadonlyMap<number, PartFinding> | null> {
    const read = await this.#read(foundKey(part, slice), found)
    return read === null ? null : new Map(read.found)
  }

  putFound(part: number, slice: number, findings: ReadonlyMap<number, PartFinding>): Promise<void> {
    return this.#put(foundKey(part, slice), { found: [...findings] })
  }

  hasSettled(slice: number): Promise<boolean> {
    return this.#has(settledKey(slice))
  }

  async settled(slice: number): Promise<ReadonlyMap<number, EarlierFinding> | null> {
    const read = await this.#read(settledKey(slice), settled)
    return read === null ? null : new Map(read.earlier)
  }

  putSettled(slice: number, findings: ReadonlyMap<number, EarlierFinding>): Promise<void> {
    return this.#put(settledKey(slice), { earlier: [...findings] })
  }

  /** Whether every row of the epoch has a verdict. */
  isResolved({ firstSlice, slices }: Epoch): Promise<boolean> {
    return this.#has(resolvedKey(firstSlice + slices.length - 1))
  }

  async verdicts(slice: number): Promise<SliceVerdicts | null> {
    const read = await this.#read(resolvedKey(slice), resolved)
    return read === null ? null : { dropped: new Map(read.dropped), fullBands: new Map(read.full) }
  }

  /** Slices of an epoch must be put in order: the last one makes it resolved. */
  putVerdicts(slice: number, { dropped, fullBands }: SliceVerdicts): Promise<void> {
    return this.#put(resolvedKey(slice), { dropped: [...dropped], full: [...fullBands] })
  }

  /** Removes everything: no verdict is needed once all units are planned. Can be stopped and repeated. */
  async discard(): Promise<void> {
    if (await this.#isEmpty()) return
    await this.#put(discardedKey, {})
    const remove = (keys: readonly string[]) => mapConcurrent(keys, removalsConcurrent, (key) => this.store.remove(key))
    let keys: string[] = []
    for await (const key of this.store.list(`${folder}/`)) {
      if (key !== discardedKey) keys.push(key)
      if (keys.length < removalKeysMax) continue
      await remove(keys)
      keys = []
    }
    await remove(keys)
    await this.store.remove(discardedKey)
    // The folders, which are no objects.
    if (this.store.directory !== null) await rm(join(this.store.directory, folder), { recursive: true, force: true })
  }

  /** Ends a removal that was stopped: what it left is not complete. */
  async endDiscard(): Promise<void> {
    if (await this.#has(discardedKey)) await this.discard()
  }

  async #isEmpty(): Promise<boolean> {
    for await (const _ of this.store.list(`${folder}/`)) return false
    return true
  }

  async #has(key: string): Promise<boolean> {
    return (await this.store.head(key)) !== null
  }

  async #put(key: string, value: Readonly<Record<string, unknown>>): Promise<void> {
    await this.store.putIfAbsent(key, Buffer.from(encodeSealed(value, 'compact')))
  }

  /** @throws {CorruptFileError} the object is damaged */
  async #read<T>(key: string, schema: z.ZodType<T>): Promise<T | null> {
    const bytes = await this.store.get(key)
    if (bytes === null) return null
    const path = `${this.store.url}/${key}`
    const { data } = schema.safeParse(decodeSealed(bytes, path, repair))
    if (data !== undefined) return data
    throw new CorruptFileError(say`${path} is damaged. ${repair}`, { details: { path } })
  }
}

/** Returns the numbers of the slices of an epoch. */
export function slicesOf({ firstSlice, slices }: Epoch): number[] {
  return slices.map((_, index) => firstSlice + index)
}

/** Returns the number of the part with the documents that are kept of a slice. */
export function partOf(slice: number, { parts }: EpochSettings): number {
  return slice % parts
}

/** Key of the rows of a slice. */
export function rowsKey(slice: number): string {
  return `${folder}/slices/${placeOf(slice)}.rows`
}

/** Key of the texts of a slice. */
export function textsKey(slice: number): string {
  return `${folder}/slices/${placeOf(slice)}.texts`
}

function foundKey(part: number, slice: number): string {
  return `${folder}/found/${digits(part)}/${placeOf(slice)}.json`
}

function settledKey(slice: number): string {
  return `${folder}/settled/${placeOf(slice)}.json`
}

function resolvedKey(slice: number): string {
  return `${folder}/resolved/${placeOf(slice)}.json`
}

/** Folders hold 1,000 objects. */
function placeOf(slice: number): string {
  return `${digits(Math.floor(slice / 1000))}/${digits(slice)}`
}

function digits(number: number): string {
  return String(number).padStart(7, '0')
}
