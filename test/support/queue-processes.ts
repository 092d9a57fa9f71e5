/** Workers of a queue as processes, the Redis server that they share, and what a request log says of them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { resultKey } from '../../lib/units/unit-keys.js'
import { RedisServer } from './redis.js'
import { projectRoot } from './root.js'

export const program = join(projectRoot, 'dist/bin/kun-stream.js')
export const [lockMs, checkMs] = [2_000, 800]
export const queueName = 'test'
const locks = ['--lock', `${lockMs}ms`, '--check', `${checkMs}ms`, '--straggler', '2s']

export interface Worker {
  readonly child: ChildProcess
  /** Units that it took, as its log says. */
  taken(): string[]
  messages(): string
  readonly ended: Promise<number | NodeJS.Signals>
}

const workers = new Set<ChildProcess>()
t.teardown(() => {
  for (const child of workers) child.kill('SIGKILL')
})

let logs = 0

export function startWorker(
  root: string,
  directory: string,
  redis: RedisServer,
  losses: number,
  environment: NodeJS.ProcessEnv = {},
): Worker {
  const log = join(root, `worker-${++logs}.log`)
  const queue = ['--queue', redis.url, '--queue-name', queueName, '--losses', String(losses)]
  const child = spawn(process.execPath, [program, 'worker', directory, ...queue, ...locks, '--log', log], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  workers.add(child)
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      words += piece
    })
  }
  return {
    child,
    taken: () =>
      linesOf(log)
        .map((line) => JSON.parse(line) as { event?: string; msg?: string; unit?: string })
        .filter((entry) => (entry.event ?? entry.msg) === 'unit-taken')
        .map(({ unit = '' }) => unit),
    messages: () => words,
    ended: once(child, 'close').then(([code, signal]) => {
      workers.delete(child)
      return (signal ?? code) as number | NodeJS.Signals
    }),
  }
}

/** The last line may not be complete. */
function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1)
  } catch {
    return [] // not written yet
  }
}

/** Polls. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, msMax = 120_000): Promise<void> {
  const end = performance.now() + msMax
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${msMax / 1000} s: ${what}`)
    await delay(50)
  }
}

export async function startRedis(root: string): Promise<RedisServer> {
  const folder = join(root, 'redis')
  mkdirSync(folder)
  const redis = await RedisServer.start(folder)
  t.teardown(() => redis.kill())
  return redis
}

export function countDone(directory: string, ids: readonly string[]): number {
  return ids.filter((id) => existsSync(join(directory, resultKey(id)))).length
}

/** Requests about records, by the key of the client: how many, and how many of them were asked for more than once. */
export function asked(log: string): { total: number; again: number } {
  const keys = linesOf(log)
    .map((line) => JSON.parse(line) as { key: string | null; complete: boolean })
    .filter(({ key, complete }) => key !== null && complete)
    .map(({ key }) => key)
  return { total: keys.length, again: keys.length - new Set(keys).size }
}
