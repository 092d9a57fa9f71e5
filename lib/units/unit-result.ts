/** Results of units: results/000/{id}.json. The first one that is written is the commit of its unit, and names one attempt. */
import { z } from 'zod'
import { errorMessage } from '../caught-error.js'
import { dictionarySchema } from '../core/dictionary.js'
import { CorruptFileError, StoreUnavailableError } from '../errors.js'
import type { WordOrder } from '../kun/row-figures.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { Counters } from '../run/accounting.js'
import { countersOf } from '../run/committed-cut.js'
import { partPathPattern } from '../storage/run-layout.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import { cutOf, failuresPrefix, resultKey } from './unit-keys.js'

const count = z.int().min(0)
const part = z.strictObject({
  /** As in the dataset; below the attempt. */
  path: z.string().regex(partPathPattern),
  split: z.string().nullable(),
  rows: z.int().min(1),
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
const result = z.strictObject({
  unit: z.string(),
  cut: count,
  attempt: z.string().regex(/^[0-9a-f]{16}$/),
  files: z.array(part),
  /** Of this cut alone. */
  counters: z.unknown(),
  /** Split → column → words in order of their first row: the words of a column are counted up to a limit. */
  wordOrders: dictionarySchema(dictionarySchema(z.array(z.string()))),
  /** Names of the segments of replies below the attempt. */
  replies: z.array(z.string().regex(/^\d{6,}\.(?:log|pack)$/)),
  /** What the attempt cost; not part of the dataset. */
  work: z.strictObject({
    seconds: z.number().min(0),
    /** ISO 8601. */
    endedAt: z.string(),
    rows: count,
    tokens: count,
  }),
})
/** A committed result. */
export type UnitResult = Omit<z.output<typeof result>, 'counters' | 'wordOrders'> & {
  readonly counters: Counters
  readonly wordOrders: Readonly<Record<string, WordOrder>>
}

const failure = z.strictObject({ code: z.string(), message: z.string(), endedAt: z.string() })

/** Commits that a store may refuse without having a result before it counts as unavailable. */
const commitsMax = 3

/**
 * Commits a result, if the unit has none.
 *
 * @returns the result that counts: ours, or that of another attempt, read back
 * @throws {StoreUnavailableError} the store refuses the result as if there were another, and has none
 */
export async function settleResult(store: ObjectStore, own: UnitResult): Promise<UnitResult> {
  for (let commits = 0; commits < commitsMax; commits++) {
    if (await commitResult(store, own)) return own
    const winner = await readResult(store, own.unit)
    if (winner !== null) return winner
  }
  throw new StoreUnavailableError(
    say`${store.url} refuses the result of unit ${own.unit} as if there were another, and has none; run the command again`,
  )
}

async function commitResult(store: ObjectStore, own: UnitResult): Promise<boolean> {
  const bytes = Buffer.from(encodeSealed({ ...own }, 'compact'))
  try {
    return await store.putIfAbsent(resultKey(own.unit), bytes)
  } catch (error) {
    // The answer may be lost, not the write.
    const found = await readResult(store, own.unit).catch(() => null) // the first error is thrown instead
    if (found === null) throw error
    return found.attempt === own.attempt
  }
}

/**
 * Returns the result of a unit; null if it has none.
 *
 * @throws {CorruptFileError} it is damaged
 */
export async function readResult(store: ObjectStore, id: string): Promise<UnitResult | null> {
  const key = resultKey(id)
  const bytes = await store.get(key)
  if (bytes === null) return null
  const path = `${store.url}/${key}`
  const repair = say`Delete it and generate the unit again`
  const { data, error } = result.safeParse(decodeSealed(bytes, path, repair))
  if (data !== undefined && data.unit === id && data.cut === cutOf(id)) {
    return { ...data, counters: countersOf({ cut: data.cut, counters: data.counters as Record<string, unknown> }) }
  }
  const issue = error?.issues[0]
  const what =
    issue === undefined ? say`it is of unit ${String(data?.unit)}` : `${issue.path.join('.')}: ${issue.message}`
  throw new CorruptFileError(say`${path} is damaged: ${what}. ${repair}`, { details: { path } })
}

/** Stores a failed attempt. */
export async function writeFailure(store: ObjectStore, id: string, attempt: string, error: unknown): Promise<void> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'KUN_FAILED'
  const message = errorMessage(error)
  const text = encodeSealed({ code, message, endedAt: new Date().toISOString() })
  await store.put(`${failuresPrefix(id)}${attempt}.json`, Buffer.from(text))
}

/** Returns the failed attempts at a unit. */
export async function readFailures(store: ObjectStore, id: string) {
  const failures: { attempt: string; code: string; message: string }[] = []
  for await (const key of store.list(failuresPrefix(id))) {
    if (!failurePattern.test(key)) continue
    const bytes = await store.get(key)
    if (bytes === null) continue
    const attempt = key.slice(failuresPrefix(id).length).replace(/\.json$/, '')
    failures.push({ attempt, ...readFailure(bytes, `${store.url}/${key}`) })
  }
  return failures
}

/** A damaged one is still a failure of the unit: no command ends over it. */
function readFailure(bytes: Uint8Array, path: string): { code: string; message: string } {
  try {
    const { code, message } = failure.parse(decodeSealed(bytes, path, say`Delete it`))
    return { code, message }
  } catch (error) {
    return { code: 'KUN_CORRUPT_FILE', message: errorMessage(error) }
  }
}

const failurePattern = /^failed\/(\d{6}-[0-9a-f]{20})\/[^/]+\.json$/

/** Returns the number of failed attempts by unit. Other files, which a file manager or NFS leaves, do not count. */
export async function countFailuresByUnit(store: ObjectStore): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const key of store.list('failed/')) {
    const id = failurePattern.exec(key)?.[1]
    if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}
