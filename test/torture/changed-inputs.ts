/**
 * A run that is killed, and an input that another hand changes before it resumes: one byte anywhere in what committed
 * blocks were read of, size and times as before. It must be refused and named each time, and resume once it is put back.
 */
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readsOf } from '../../lib/run/committed-cut.js'
import { readManifest } from '../../lib/sinks/index.js'
import type { Random } from '../support/random.js'
import { projectRoot } from '../support/root.js'
import { bytesOf } from '../support/session.js'
import type { Life } from './child.js'
import { differences } from './differences.js'
import { type Form, overrides } from './forms.js'
import { live, serverProcess } from './processes.js'
import type { Baseline, Circumstances, RunOutcome } from './tortured-run.js'

const fixture = join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl')
/** Beside each text, so that most of the file lies outside of what is sampled when it is listed. */
const padBytes = 20_000

export async function tortureChangedInputs(
  directory: string,
  form: Form,
  { legs }: Baseline,
  { random, kills, seed }: Circumstances,
): Promise<RunOutcome> {
  const input = paddedInput(`${directory}-input`, random)
  const set = [0, 1].map((source) => `sources[${source}].files=["${input}"]`)
  const server = await serverProcess({ requestLog: `${directory}.jsonl`, seed, port: 0, models: [] })
  const life: Life = {
    directory,
    endpoint: server.url,
    set: [...overrides(server.url), ...set],
    through: null,
    archive: null,
    killAt: null,
    // With it the child says the code of an error.
    leaseMs: 60_000,
  }
  const places: string[] = []
  const faults: string[] = []
  const lifeMs = legs[0]?.lifeMs ?? 1000
  try {
    for (let turn = 0; turn < kills; turn++) {
      const step = random.between(0, 1) === 0
      const killAt = step ? ({ step: 'manifest-fsync', when: 'after', cutsAhead: random.between(0, 2) } as const) : null
      const end = await live({ ...life, killAt, ...(!step && { killAfterMs: random.between(0, lifeMs) }) })
      const change = await changedByte(directory, input, random)
      places.push(change === null ? 'killed before a cut' : 'killed, and one byte changed')
      if (change !== null) faults.push(...(await refusals(life, input, change)))
      if (end.startsWith('done')) break
    }
    const last = await live(life)
    if (!last.startsWith('done')) faults.push(`the last life ended with ${last}`)
    faults.push(...(await differences(directory, form, set)))
    const requests = await server.requests()
    return { places, bytes: JSON.stringify(bytesOf(directory)), requests, paidTwice: 0, faults }
  } finally {
    await server.close()
  }
}

function paddedInput(folder: string, random: Random): string {
  mkdirSync(folder, { recursive: true })
  const input = join(folder, '2020-40_zh_head_0000.jsonl')
  const pad = (): string => Array.from({ length: padBytes / 8 }, () => String(random.between(1e7, 1e8 - 1))).join('')
  const lines = readFileSync(fixture, 'utf8').split('\n')
  writeFileSync(
    input,
    lines.map((line) => (line.endsWith('"}') ? `${line.slice(0, -1)},"pad":"${pad()}"}` : line)).join('\n'),
  )
  return input
}

interface Change {
  readonly at: number
  readonly bit: number
}

/** A place in what committed blocks were read of; null where there is none yet. */
async function changedByte(directory: string, input: string, random: Random): Promise<Change | null> {
  const read = Math.max(0, ...readsOf(await readManifest(directory)).map((each) => each.read?.bytes ?? 0))
  if (read === 0) return null
  return { at: random.between(0, Math.min(read, statSync(input).size) - 1), bit: 1 << random.between(0, 7) }
}

/** What a run does with an input of which one bit is another; the input is put back afterwards. */
async function refusals(life: Life, input: string, { at, bit }: Change): Promise<string[]> {
  const cuts = (await readManifest(life.directory)).length
  flip(input, at, bit)
  const end = await live(life)
  flip(input, at, bit)
  const faults: string[] = []
  if (!/^KUN_RUN_MISMATCH .*2020-40_zh_head_0000/s.test(end))
    faults.push(`byte ${at} was changed, and it ended with ${end}`)
  if ((await readManifest(life.directory)).length !== cuts)
    faults.push(`byte ${at} was changed, and a cut was committed`)
  return faults
}

function flip(file: string, at: number, bit: number): void {
  const { atime, mtime } = statSync(file)
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] as number) ^ bit
  writeFileSync(file, bytes)
  utimesSync(file, atime, mtime)
}
