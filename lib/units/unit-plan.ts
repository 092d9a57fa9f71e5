/**
 * The plan of a divided run: plan/NNNNNN.jsonl, one line a unit, with what the manifest says of its cut before any reply.
 * Only `prepare`, which holds the lock, writes it: the last file is replaced when a unit is added.
 */
import { z } from 'zod'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { ManifestEntry } from '../sinks/index.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import { planDoneKey, planFolder, planKey, unitsPerPlanFile } from './unit-keys.js'

const count = z.int().min(0)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const line = z.strictObject({
  cut: count,
  id: z.string(),
  /** Number of candidates. */
  candidates: count,
  /** Of its file: bytes, their sha256, and that of its decompressed lines without `reads`. */
  bytes: count,
  sha256,
  content: sha256,
  firstBlock: count,
  /** As in the manifest line of the cut. */
  blocks: count,
  cursor: z.unknown(),
  inputs: z.strictObject({ ended: z.array(z.unknown()), open: z.array(z.unknown()) }),
  dedupLogBytes: count,
})
/** A line of the plan. */
export type PlanLine = Readonly<z.output<typeof line>>

const done = z.strictObject({ units: count, candidates: count })
/** Content of plan/done.json. */
export type PlanTotals = Readonly<z.output<typeof done>>

const repair = say`Run \`kun-stream prepare\` again with the same recipe: it makes the plan again`

/**
 * Yields the lines of the plan, in order, so far. Memory: one file of it.
 *
 * @throws {CorruptFileError} a file is damaged, or a complete plan has lost lines
 */
export async function* readPlan(store: ObjectStore): AsyncGenerator<PlanLine> {
  const totals = await readPlanTotals(store)
  let units = 0
  for await (const line of readPlanLines(store)) {
    yield line
    units++
  }
  if (totals !== null) await checkPlanned(store, totals, units)
}

/** Yields the lines of the plan up to the first gap. @throws {CorruptFileError} a file is damaged */
export async function* readPlanLines(store: ObjectStore): AsyncGenerator<PlanLine> {
  for (let cut = 0; ; cut += unitsPerPlanFile) {
    const lines = await readPlanFile(store, cut)
    yield* lines
    if (lines.length < unitsPerPlanFile) return
  }
}

/**
 * @param totals as read before the lines
 * @throws {CorruptFileError} the plan is complete, and has another number of lines
 */
export async function checkPlanned(store: ObjectStore, totals: PlanTotals, units: number): Promise<void> {
  // `prepare` removes the totals before it makes a part of the plan again.
  if (totals.units === units || (await readPlanTotals(store))?.units !== totals.units) return
  const path = `${store.url}/${planFolder}`
  throw new CorruptFileError(
    say`${path} is damaged: the number of its lines is ${units}, and ${planDoneKey} says ${totals.units}. ${repair}`,
    { details: { path } },
  )
}

/** Reads the plan file with a cut; empty if there is none. @throws {CorruptFileError} it is damaged */
export async function readPlanFile(store: ObjectStore, cut: number): Promise<PlanLine[]> {
  const key = planKey(cut)
  const bytes = await store.get(key)
  if (bytes === null) return []
  const path = `${store.url}/${key}`
  const first = cut - (cut % unitsPerPlanFile)
  const texts = Buffer.from(bytes).toString('utf8').split('\n')
  // The file is replaced as a whole: a line without its end is damage, not a write in progress.
  if (texts.pop() !== '' || texts.length === 0) {
    throw new CorruptFileError(say`${path} is damaged: it ends within a line. ${repair}`, { details: { path } })
  }
  return texts.map((text, index) => {
    const { data, error } = line.safeParse(decodeSealed(Buffer.from(`${text}\n`), path, repair))
    if (data !== undefined && data.cut === first + index) return data
    const what = error?.issues[0]?.message ?? say`it names cut ${String(data?.cut)}`
    throw new CorruptFileError(say`${path} is damaged: line ${index + 1}: ${what}. ${repair}`, { details: { path } })
  })
}

/** Replaces a plan file by these lines. */
export async function writePlanFile(store: ObjectStore, lines: readonly PlanLine[]): Promise<void> {
  const first = lines[0]
  if (first === undefined) return
  const text = lines.map((each) => encodeSealed(each, 'compact')).join('')
  await store.put(planKey(first.cut), Buffer.from(text))
}

/** Returns the totals of a complete plan; null while it is not. */
export async function readPlanTotals(store: ObjectStore): Promise<PlanTotals | null> {
  const bytes = await store.get(planDoneKey)
  if (bytes === null) return null
  const path = `${store.url}/${planDoneKey}`
  const { data } = done.safeParse(decodeSealed(bytes, path, repair))
  if (data === undefined) throw new CorruptFileError(say`${path} is damaged. ${repair}`, { details: { path } })
  return data
}

/** Removes the totals, so that readers wait for what is planned again. */
export async function removePlanTotals(store: ObjectStore): Promise<void> {
  await store.remove(planDoneKey)
}

export async function writePlanTotals(store: ObjectStore, totals: PlanTotals): Promise<void> {
  await store.put(planDoneKey, Buffer.from(encodeSealed({ ...totals })))
}

/** Returns the line in the form of a manifest line, for what a resumed run reads of one. */
export function cutOfLine({ cut, blocks, cursor, inputs, dedupLogBytes }: PlanLine): ManifestEntry {
  return { cut, blocks, cursor, inputs, dedupLogBytes, counters: {}, files: [] }
}
