/**
 * Runs so small that a test can afford dozens: twenty documents, some four cuts, on any file layer. What the promise of
 * same bytes is about is compared by `bytesOn`.
 */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { parseRecipe } from '../../lib/recipe/index.js'
import { settingsOf } from '../../lib/recipe/run-settings.js'
import { type RejectReason, rejectReasons } from '../../lib/reject-reasons.js'
import { type KunRun, type KunRunEnd, type KunRunOptions, startKunRun } from '../../lib/run/run.js'
import { type FileLayer, nodeFiles, readWholeFile } from '../../lib/storage/files.js'
import { projectRoot } from '../support/root.js'

/** Nobody listens there: every request is refused. */
export const nobody = 'http://127.0.0.1:9/v1'

export interface MiniRun {
  readonly directory: string
  readonly endpoint: string
  /** Overrides, as on the command line. */
  readonly set?: readonly string[]
  /** JSON lines; the first documents of the fixtures by default. */
  readonly input?: string
}

const fixture = join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl')

/** The lines of the fixture that `input` may be made of. */
export function documents(count: number): string[] {
  return readFileSync(fixture, 'utf8').split('\n').slice(0, count)
}

export function miniRecipe(endpoint: string, input: string): string {
  return `
name: mini
sources: [{ split: skypile, preset: skypile, files: '${input}' }]
read: { blockBytes: 4KiB }
workers: { threads: 1 }
servers: { outageMaxMs: 1s, startMaxMs: 0 }
models:
  writer: { endpoints: ['${endpoint}'], model: writer, limiter: fixed, inFlightMax: 16 }
  judge: { endpoints: ['${endpoint}'], model: judge, limiter: fixed, inFlightMax: 16 }
kun: { label: { model: writer }, score: { model: judge }, polish: { model: judge } }
output: { dir: unused, candidatesPerCut: 5, rowsPerFile: 3, rowGroupBytesMax: 16KiB }
`
}

export async function startMini(
  { directory, endpoint, set = [], input = fixture }: MiniRun,
  session: KunRunOptions = {},
): Promise<KunRun> {
  const { settings, close } = await settingsOf(parseRecipe(miniRecipe(endpoint, input), 'mini.yaml', set), directory)
  await close()
  return startKunRun(settings, session)
}

export async function runMini(run: MiniRun, session: KunRunOptions = {}): Promise<KunRunEnd> {
  const end = await (await startMini(run, session)).done
  if (session.files === undefined) await assertKnownReasons(run.directory)
  return end
}

/** Every reject of a run has a reason and a stage of the list; these runs have no filters of their own. */
export async function assertKnownReasons(directory: string): Promise<void> {
  const known: Readonly<Record<string, RejectReason>> = rejectReasons
  for (const name of await nodeFiles.list(join(directory, 'rejects'))) {
    const part = await openPart(join(directory, 'rejects', name))
    for await (const { stage, reason } of rowsOf(part)) {
      const stages = known[String(reason)]?.stages ?? []
      assert.ok(
        stages.includes(String(stage)),
        `${name}: stage ${stage}, reason ${reason} is not in lib/reject-reasons.ts`,
      )
    }
    await part.close()
  }
}

/** sha256 of every file of data/, rejects/ and stats.json, by path. */
export async function bytesOn(files: FileLayer, directory: string): Promise<Record<string, string>> {
  const names: string[] = []
  for (const folder of ['data', 'rejects']) {
    for (const name of await files.list(join(directory, folder))) names.push(`${folder}/${name}`)
  }
  const hashes: Record<string, string> = {}
  for (const name of [...names, 'stats.json']) {
    const bytes = await readWholeFile(files, join(directory, name), 2 ** 30)
    if (bytes !== null) hashes[name] = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  }
  return hashes
}

/** Names of files that are not the same in both. */
export function differing(found: Record<string, string>, expected: Record<string, string>): string[] {
  return [...new Set([...Object.keys(found), ...Object.keys(expected)])].filter(
    (name) => found[name] !== expected[name],
  )
}
