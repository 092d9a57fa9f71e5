/**
 * A run in which three random requests about records are always answered with a failure: 500, a reset, an error inside
 * a 200. However often it is killed, exactly those records become rejects, each for one stable reason, and everything
 * else equals the undisturbed run.
 */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { verifyRun } from '../../lib/sinks/index.js'
import type { Random } from '../support/random.js'
import { bytesOf } from '../support/session.js'
import type { Form } from './forms.js'
import { type Disturbance, startGateway } from './gateway.js'
import { disturbedLife, live } from './processes.js'
import type { Baseline, Circumstances, RunOutcome } from './tortured-run.js'

const poisons = 3
const kinds: readonly Disturbance[] = ['500', 'reset', '200 with an error']
/** By the name of the model, which each stage has of its own. */
const stageOf: Readonly<Record<string, string>> = { writer: 'label', judge: 'score', polisher: 'polish' }
const reason = 'server-error'

export async function torturePoison(
  directory: string,
  _: Form,
  { legs }: Baseline,
  { random, kills, round, seed }: Circumstances,
): Promise<RunOutcome> {
  const server = await startSimulator({ seed })
  const gateway = await startGateway(server.url)
  const lifeMs = legs[0]?.lifeMs ?? 1000
  const places: string[] = []
  try {
    const asked = new Map<string, AskedRequest>()
    gateway.judge = ({ key, model, body }) => {
      if (key !== null && model !== null) asked.set(key, { model, body })
      return null
    }
    const undisturbed = disturbedLife(`${directory}-undisturbed`, gateway.url)
    await live(undisturbed)
    const rows = [...(await everyRow(undisturbed.directory, ['data']))].sort()
    const poisoned = choose(
      asked,
      rows.map((row) => JSON.parse(row) as Row),
      round,
      random,
    )
    gateway.judge = ({ key }) => (key === null ? null : (poisoned.get(key)?.kind ?? null))
    const life = disturbedLife(directory, gateway.url)
    for (let turn = 0; turn < kills; turn++) {
      const end = await live({ ...life, killAfterMs: random.between(0, 2 * lifeMs) })
      places.push('killed with three poisonous records')
      if (end.startsWith('done')) break
    }
    const end = await live(life)
    const said = JSON.stringify([...poisoned.values()])
    const faults = end.startsWith('done')
      ? (await wrongRows(undisturbed.directory, directory, poisoned)).map((fault) => `${said}: ${fault}`)
      : [`${said}: the last life ended with ${end}`]
    const bytes = JSON.stringify(bytesOf(directory))
    return { places, bytes, requests: server.stats().requests, paidTwice: 0, faults }
  } finally {
    await gateway.close()
    await server.close()
  }
}

interface AskedRequest {
  readonly model: string
  readonly body: string
}

/** What is read of a row of the dataset. */
interface Row {
  readonly raw: string
  readonly instruction: string
}

interface Poison {
  readonly stage: string
  readonly kind: Disturbance
}

/**
 * Draws three requests, of three records that become rows: of each stage one, or three of one stage.
 *
 * @param asked bodies of the requests of the undisturbed run, by key
 * @returns by the key of the request
 */
function choose(
  asked: ReadonlyMap<string, AskedRequest>,
  rows: readonly Row[],
  round: number,
  random: Random,
): Map<string, Poison> {
  const names = Object.keys(stageOf)
  const chosen = new Map<string, Poison>()
  const left = [...rows]
  while (chosen.size < poisons) {
    const [row] = left.splice(random.between(0, left.length - 1), 1)
    if (row === undefined) throw new Error(`only ${chosen.size} of ${poisons} records with a request of their own`)
    const model = names[(round % 2 === 0 ? chosen.size : round) % names.length] as string
    const keys = [...asked].flatMap(([key, request]) => (isOf(request, model, row) ? [key] : []))
    const [key] = keys
    // Two records may have one text or one instruction, and a stage may have asked twice.
    if (key === undefined || keys.length > 1) continue
    const kind = kinds[random.between(0, kinds.length - 1)] as Disturbance
    chosen.set(key, { stage: stageOf[model] as string, kind })
  }
  return chosen
}

/** Whether a request asks this model about the record of a row: a body holds its text, of the judge its instruction. */
function isOf(request: AskedRequest, model: string, row: Row): boolean {
  const part = stageOf[model] === 'score' ? row.instruction : row.raw
  return request.model === model && request.body.includes(JSON.stringify(part).slice(1, -1))
}

/** Rows and rejects that differ from those of the undisturbed run otherwise than by the poisoned records. */
async function wrongRows(
  undisturbed: string,
  directory: string,
  poisoned: ReadonlyMap<string, Poison>,
): Promise<string[]> {
  const [before, after] = [await everyRow(undisturbed), await everyRow(directory)]
  const gone = [...before].filter((row) => !after.has(row))
  const fresh = [...after].filter((row) => !before.has(row))
  const faults: string[] = []
  const expected = [...poisoned.values()].map(({ stage }) => `${stage} ${reason}`).sort()
  const found = fresh.map((row) => {
    const { stage, reason: why } = JSON.parse(row) as { stage?: unknown; reason?: unknown }
    return `${stage} ${why}`
  })
  if (JSON.stringify(found.sort()) !== JSON.stringify(expected))
    faults.push(`new in the run: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
  if (gone.length > poisoned.size) faults.push(`${gone.length} rows and rejects of the undisturbed run are gone`)
  const { findings } = await verifyRun(directory)
  return [...faults, ...findings.map((finding) => `verify: ${JSON.stringify(finding)}`)]
}

async function everyRow(directory: string, folders = ['data', 'rejects']): Promise<Set<string>> {
  const rows = new Set<string>()
  for (const folder of folders.map((name) => join(directory, name))) {
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder)) {
      const part = await openPart(join(folder, name))
      for await (const row of rowsOf(part))
        rows.add(JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? Number(value) : value)))
      await part.close()
    }
  }
  return rows
}
