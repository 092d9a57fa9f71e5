/**
 * Whole runs at tiny settings: 4 KiB blocks, cuts of a few candidates, so that everything reorders; and what a run left on
 * disk as one hash, so that two runs can be compared byte by byte.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseRecipe } from '../../lib/recipe/index.js'
import { settingsOf } from '../../lib/recipe/run-settings.js'
import { type KunRun, type KunRunEnd, type KunRunOptions, startKunRun } from '../../lib/run/run.js'
import { projectRoot } from './root.js'

const fixtures = join(projectRoot, 'fixtures')

export interface TinyRun {
  readonly directory: string
  /** Base address of the model server. */
  readonly endpoint: string
  /** `path=value`, as on the command line. */
  readonly set?: readonly string[]
  readonly session?: KunRunOptions
  /** One split of 60 documents and one of which none survives, one variant a chunk: for tests that run often. */
  readonly small?: boolean
}

/** Three splits in three layouts, and a fourth of which no document survives. */
export function tinyRecipe(endpoint: string, small = false): string {
  const sources = small
    ? ''
    : `
  - { split: wudao, preset: wudao, files: '${fixtures}/wudao/**/*8643.json' }
  - { split: wanjuan, preset: wanjuan, files: '${fixtures}/wanjuan/**/*-a894b46e.jsonl.tar.gz' }`
  return `
name: tiny
sources:${sources}
  - { split: skypile, preset: skypile, files: '${fixtures}/skypile/data/*_0000.jsonl' }
  - { split: nothing, text: no_such_field, files: '${fixtures}/skypile/data/*_0000.jsonl' }
read: { blockBytes: 4KiB }
brakes: { sameEndingRecords: false }
workers: { threads: 1 }
models:
  writer: { endpoints: ['${endpoint}'], model: writer, limiter: fixed, inFlightMax: 64 }
  judge: { endpoints: ['${endpoint}'], model: judge, limiter: fixed, inFlightMax: 64 }
kun: { label: { model: writer, variants: ${small ? 1 : 2} }, score: { model: judge }, polish: { model: judge } }
output: { dir: unused, candidatesPerCut: ${small ? 15 : 40}, rowsPerFile: 30, rowGroupBytesMax: 16KiB }
`
}

/** Starts a run; `done` also closes what was opened for it. */
export async function startTiny({ directory, endpoint, set = [], session = {}, small }: TinyRun): Promise<KunRun> {
  const prepared = await settingsOf(parseRecipe(tinyRecipe(endpoint, small), 'tiny.yaml', set), directory)
  const started = await startKunRun(prepared.settings, session).catch(async (error: unknown) => {
    await prepared.close()
    throw error
  })
  const done = started.done.finally(() => prepared.close())
  done.catch(() => undefined)
  return {
    done,
    blocksDone: started.blocksDone,
    capabilities: started.capabilities,
    stages: started.stages,
    latest: started.latest,
    get isPaused() {
      return started.isPaused
    },
    pause: () => started.pause(),
    resume: () => started.resume(),
    progress: () => started.progress(),
    stop: (reason) => started.stop(reason),
    abort: (reason) => started.abort(reason),
  }
}

export async function runTiny(run: TinyRun): Promise<KunRunEnd> {
  return (await startTiny(run)).done
}

/** sha256 of every file that the promise of same bytes is about, by path. */
export function bytesOf(directory: string): Record<string, string> {
  const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
  const hashes: Record<string, string> = {}
  for (const folder of ['data', 'rejects']) {
    if (!existsSync(join(directory, folder))) continue
    for (const name of readdirSync(join(directory, folder)).sort())
      hashes[`${folder}/${name}`] = hash(join(directory, folder, name))
  }
  if (existsSync(join(directory, 'stats.json'))) hashes['stats.json'] = hash(join(directory, 'stats.json'))
  return hashes
}
