/** A run directory with everything that a mirror copies, and its contents as text, to compare two of them. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openAppendLog } from '../../lib/storage/append-log.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { encodeSealed } from '../../lib/storage/sealed-json.js'
import { addCuts } from './run-directory.js'

export function contentsOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true }) as string[]
  const files = names.filter((name) => statSync(join(directory, name)).isFile())
  return Object.fromEntries(files.sort().map((name) => [name, readFileSync(join(directory, name)).toString('base64')]))
}

/** A run with cuts, a dedup log and replies, one segment of which is still written. */
export async function makeRun(directory: string): Promise<void> {
  await addCuts(directory, { cuts: 2 })
  for (const folder of ['dedup', 'replies']) mkdirSync(join(directory, folder))
  writeFileSync(join(directory, 'run.json'), encodeSealed({ pinned: {}, free: {} }))
  writeFileSync(join(directory, 'brakes.json'), '{}')
  await addLog(join(directory, 'dedup', 'index'), 1000)
  await addLog(join(directory, 'replies', '000001.pack'), 2000)
  await addLog(join(directory, 'replies', '000002.log'), 500)
}

export async function addLog(path: string, payloadBytes: number): Promise<void> {
  const log = await openAppendLog({ files: nodeFiles, path, header: { kind: 'test' } })
  for (let piece = 0; piece < 5; piece++) log.append(randomBytes(payloadBytes / 5))
  await log.close()
}
