/** The processes of a torture, and what they leave: a life of a run, the server, its log, and the replies on disk. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { LoggedRequest } from '../../lib/simulator/vllm/request-log.js'
import { readAppendLog } from '../../lib/storage/append-log.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { entryKey, readPackKeys } from '../../lib/storage/replies/reply-pack.js'
import type { Random } from '../support/random.js'
import { projectRoot } from '../support/root.js'
import type { Life } from './child.js'
import { overrides } from './forms.js'

/** A life that takes longer hangs. */
export const lifeMsMax = 120_000

/** A life of a run over a gateway that disturbs it. With a lease the child says the code of an error. */
export function disturbedLife(directory: string, url: string): Life {
  return { directory, endpoint: url, set: overrides(url), through: null, archive: null, killAt: null, leaseMs: 60_000 }
}

/**
 * One life of a run: until it ends, is killed after `killAfterMs` from when it was ready, or kills itself.
 *
 * @returns where it was killed, or 'done' and the number of changes of files
 */
export async function live({ killAfterMs, ...life }: Life & { readonly killAfterMs?: number }): Promise<string> {
  const child = fork(join(projectRoot, 'dist/test/torture/child.js'), [JSON.stringify(life)], { silent: true })
  const [out, err] = [text(child.stdout), text(child.stderr)]
  let hung = false
  const hangs = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, lifeMsMax)
  let instant: NodeJS.Timeout | null = null
  child.once('message', () => {
    if (killAfterMs !== undefined) instant = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(hangs)
  if (instant !== null) clearTimeout(instant)
  if (hung) throw new Error(`a run did not end within ${lifeMsMax} ms: ${JSON.stringify(life)}\n${err()}`)
  if (signal === 'SIGKILL') return out() === '' || out().startsWith('done') ? 'random instant' : out()
  if (life.leaseMs !== undefined && out().startsWith('KUN_')) return out()
  if (code !== 0) throw new Error(`a run failed (${code ?? signal}): ${JSON.stringify(life)}\n${err()}`)
  return out()
}

export function text(stream: NodeJS.ReadableStream | null): () => string {
  let all = ''
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk
  })
  return () => all
}

export interface ServerProcess extends ServerOptions {
  readonly url: string
  /** Requests that came so far. */
  requests(): Promise<number>
  close(): Promise<void>
}

export interface ServerOptions {
  readonly requestLog: string
  readonly seed: number
  /** 0 takes a free one. */
  readonly port: number
  /** Names of the models served; every name when empty. */
  readonly models: readonly string[]
}

/** The simulator as a process of its own: no two of its replies are alike, and they come in no order. */
export async function serverProcess(options: ServerOptions): Promise<ServerProcess> {
  const { requestLog, seed, port, models } = options
  const served = models.flatMap((model) => ['--model', model])
  const flags = ['simulate', '--port', String(port), '--nonce', '--request-log', requestLog, ...served]
  const pace = ['--preset', 'delay', '--latency', '1..40', '--seed', String(seed)]
  const child = spawn(process.execPath, [join(projectRoot, 'dist/bin/kun-stream.js'), ...flags, ...pace], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const url = await firstLine(child)
  return {
    ...options,
    port: Number(new URL(url).port),
    url,
    requests: async () => {
      const response = await fetch(url.replace(/\/v1$/, '/admin/stats'))
      return ((await response.json()) as { requests: number }).requests
    },
    close: async () => {
      if (child.exitCode !== null) return
      const closed = once(child, 'close')
      child.kill('SIGTERM')
      await closed
    },
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const out = text(child.stdout)
  for await (const _ of child.stdout ?? []) if (out().includes('\n')) break
  return out().trim()
}

/** Every request about a model that is over; the last line may be half written. */
export function readRequests(path: string): LoggedRequest[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.slice(0, -1).map((line) => JSON.parse(line) as LoggedRequest)
}

/** Keys of the replies that another process can read there now, in hex. */
export async function readableKeys(directory: string): Promise<Set<string>> {
  const keys = new Set<string>()
  if (!existsSync(directory)) return keys
  const note = (key: Uint8Array) => keys.add(Buffer.from(key).toString('hex'))
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    if (name.endsWith('.log'))
      await readAppendLog({ files: nodeFiles, path }, (payload) => void note(entryKey(payload)))
    if (name.endsWith('.pack')) await readPackKeys(nodeFiles, path, note)
  }
  return keys
}

/** Half of a manifest line whose fsync has not happened: what a power cut leaves. */
export async function tearManifest(directory: string, random: Random): Promise<void> {
  const path = join(directory, 'manifest.jsonl')
  const bytes = readFileSync(path)
  const lineStart = bytes.lastIndexOf(10, bytes.length - 2) + 1
  truncateSync(path, random.between(lineStart, bytes.length - 1))
}
