/** Divided runs at tiny settings: prepare, generate and assemble in this process. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ObjectStore } from '../../lib/objects/object-store.js'
import { openObjectStore } from '../../lib/objects/open-store.js'
import { parseRecipe } from '../../lib/recipe/index.js'
import { settingsOf, tailSettingsOf } from '../../lib/recipe/run-settings.js'
import type { FileLayer } from '../../lib/storage/files.js'
import { type Assembled, assembleUnits } from '../../lib/units/assemble.js'
import { openUnits } from '../../lib/units/open-units.js'
import type { EpochOptions } from '../../lib/units/prepare-epochs.js'
import { type PreparedUnits, prepareUnits } from '../../lib/units/prepare-units.js'
import { readUnitRecord, unitRecipe } from '../../lib/units/unit-record.js'
import { tinyRecipe } from './session.js'

export interface DividedRun {
  readonly directory: string
  readonly endpoint: string
  readonly set?: readonly string[]
  readonly small?: boolean
  /** Local directory of a bucket. */
  readonly work?: string
  readonly unitsAheadMax?: number
  /** Decides duplicates in epochs. */
  readonly epochs?: EpochOptions
  /** Stands between prepare and the store. */
  readonly around?: (store: ObjectStore) => ObjectStore
}

const never: AbortSignal = new AbortController().signal

export async function prepareTiny(
  {
    directory,
    endpoint,
    set = [],
    small,
    work = directory,
    epochs,
    unitsAheadMax,
    around = (store) => store,
  }: DividedRun,
  probe = true,
  signal: AbortSignal = never,
): Promise<PreparedUnits> {
  const recipe = parseRecipe(tinyRecipe(endpoint, small), 'tiny.yaml', set)
  const prepared = await settingsOf(recipe, work)
  const store = await openObjectStore(directory)
  try {
    return await prepareUnits(prepared.settings, {
      ...{ store: around(store), probe, signal, ...(epochs && { epochs }) },
      ...(unitsAheadMax !== undefined && { unitsAheadMax }),
    })
  } finally {
    await store.close()
    await prepared.close()
  }
}

/** Ids of the planned units, in order. */
export async function plannedIds(directory: string): Promise<string[]> {
  const run = await openUnits(directory, { readOnly: true })
  const ids: string[] = []
  for await (const { id } of run.planned()) ids.push(id)
  await run.close()
  return ids
}

/** Generates units in this order, up to `atOnce` of them at once. */
export async function generateTiny(
  directory: string,
  ids: readonly string[],
  atOnce = 1,
): Promise<('committed' | 'already')[]> {
  const run = await openUnits(directory)
  const worker = await run.openWorker({ signal: never })
  const ends: ('committed' | 'already')[] = []
  const rest = [...ids]
  const next = async (): Promise<void> => {
    for (let id = rest.shift(); id !== undefined; id = rest.shift()) ends.push(await worker.generate(id))
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, next))
    return ends
  } finally {
    await worker.close()
    await run.close()
  }
}

/** @param into the run directory; that of the units by default */
export async function assembleTiny(
  directory: string,
  set: readonly string[] = [],
  into = directory,
  files?: FileLayer,
): Promise<Assembled> {
  const layer = files === undefined ? {} : { files }
  const store = await openObjectStore(directory, layer)
  try {
    const record = await readUnitRecord(store)
    const prepared = await tailSettingsOf(unitRecipe(record, directory, set), into)
    try {
      return await assembleUnits({ store, record, settings: prepared.settings, signal: never, ...layer })
    } finally {
      await prepared.close()
    }
  } finally {
    await store.close()
  }
}

/**
 * Lines of manifest.jsonl without how far each shard was read ahead when its cut ended, which depends on the speed of the
 * disk, and without the checksums of the lines, which cover it.
 */
export function manifestLines(directory: string): unknown[] {
  return readFileSync(join(directory, 'manifest.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { inputs: _inputs, crc32: _crc32, ...rest } = JSON.parse(line)
      return rest
    })
}
