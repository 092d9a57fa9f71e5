/**
 * Two containers on one run directory: each in a PID namespace of its own, where it is pid 1, with the same host name.
 * One is killed, suspended or let be while the other one comes; neither can see the other, only its lease.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../support/random.js'
import { projectRoot } from '../support/root.js'
import { bytesOf } from '../support/session.js'
import type { Life } from './child.js'
import { differences } from './differences.js'
import { type Form, overrides } from './forms.js'
import { lifeMsMax, serverProcess, text } from './processes.js'
import type { Baseline, Circumstances, RunOutcome } from './tortured-run.js'

/** Short, so that a takeover takes a moment; long for a machine that is busy with others. */
export const containerLeaseMs = 6_000

const program = 'unshare'
const flags = ['--pid', '--fork', '--uts', '--mount-proc', '--kill-child']

/** Why this machine makes no namespaces for us; null where it does. */
export function containersRefused(): string | null {
  const { status, error, stderr } = spawnSync(program, [...flags, 'sh', '-c', 'hostname box'], { encoding: 'utf8' })
  if (error !== undefined) return error.message
  return status === 0 ? null : `unshare ended with ${status}: ${stderr.trim()}`
}

export interface Container {
  /** Resolves when the run is about to start. */
  readonly ready: Promise<unknown>
  /** To its first process. */
  signal(signal: NodeJS.Signals): void
  /** 'done …', the code of an error, or 'SIGKILL'. Rejects for any other end, and after a bound. */
  readonly ended: Promise<string>
}

export function startContainer(life: Life): Container {
  const words = ['hostname box && exec "$0" "$@"', process.execPath, join(projectRoot, 'dist/test/torture/child.js')]
  const child = spawn(program, [...flags, 'sh', '-c', ...words, JSON.stringify(life)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const [out, err] = [text(child.stdout), text(child.stderr)]
  const hangs = setTimeout(() => child.kill('SIGKILL'), lifeMsMax)
  let killed = false
  const ended = once(child, 'close').then(([code, signal]) => {
    clearTimeout(hangs)
    if (killed && code !== 0 && !out().startsWith('KUN_')) return 'SIGKILL'
    if (out().startsWith('done') || out().startsWith('KUN_')) return out()
    throw new Error(`a container ended with ${code ?? signal}: ${JSON.stringify(life)}\n${out()}${err()}`)
  })
  ended.catch(() => undefined) // rethrown to the caller that awaits it
  return {
    ready: Promise.race([once(child, 'message'), ended]),
    ended,
    signal(signal) {
      const first = firstProcess(child.pid)
      if (first === null) return
      killed ||= signal === 'SIGKILL'
      process.kill(first, signal)
    },
  }
}

/** The one below `unshare`, by its pid outside; null once it ended. */
function firstProcess(pid: number | undefined): number | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return children === '' ? null : Number(children)
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

/** What befalls the first container once the second one has come. */
const fates = ['is killed', 'is suspended past its lease', 'is let be', 'is suspended briefly'] as const
type Fate = (typeof fates)[number]

/** One run by pairs of containers, until it has come to its end. */
export async function tortureContainers(
  directory: string,
  form: Form,
  _: Baseline,
  { random, kills, round, seed }: Circumstances,
): Promise<RunOutcome> {
  const server = await serverProcess({ requestLog: `${directory}.jsonl`, seed, port: 0, models: [] })
  const life: Life = {
    directory,
    endpoint: server.url,
    set: overrides(server.url),
    through: null,
    archive: null,
    killAt: null,
    leaseMs: containerLeaseMs,
  }
  const places: string[] = []
  const faults: string[] = []
  try {
    for (let turn = 0; turn < kills; turn++) {
      const fate = fates[(round + turn) % fates.length] as Fate
      const ends = await pair(life, fate, random)
      places.push(`a container ${fate}: ${ends.map((end) => end.split(' ')[0]).join(', ')}`)
      faults.push(...wrongEnds(fate, ends))
      if (ends.some((end) => end.startsWith('done'))) break
    }
    const last = await startContainer(life).ended
    if (!last.startsWith('done')) faults.push(`the last container ended with ${last}`)
    faults.push(...(await differences(directory, form)))
    const requests = await server.requests()
    return { places, bytes: JSON.stringify(bytesOf(directory)), requests, paidTwice: 0, faults }
  } finally {
    await server.close()
  }
}

/** @returns how the first one ended, and the second one */
async function pair(life: Life, fate: Fate, random: Random): Promise<[string, string]> {
  const first = startContainer(life)
  await first.ready
  await sleep(random.between(200, 1200))
  const second = startContainer(life)
  await second.ready
  await sleep(random.between(0, 400))
  if (fate === 'is killed') first.signal('SIGKILL')
  if (fate.startsWith('is suspended')) {
    first.signal('SIGSTOP')
    const briefly = fate === 'is suspended briefly'
    await (briefly ? sleep(random.between(100, containerLeaseMs)) : Promise.race([second.ended, sleep(lifeMsMax / 4)]))
    first.signal('SIGCONT')
  }
  return [await first.ended, await second.ended]
}

/** Ends that no such pair may come to: what is committed is judged by `differences`. */
function wrongEnds(fate: Fate, [first, second]: readonly [string, string]): string[] {
  // Lost by a renewal that came too late, too: a machine that is busy with others is slow for so short a lease.
  const stopped = /^(done|KUN_RUN_LOCKED|KUN_LOCK_LOST)/
  const allowed: Record<Fate, RegExp> = {
    'is killed': /^(SIGKILL|done)/,
    'is suspended past its lease': stopped,
    'is let be': stopped,
    'is suspended briefly': stopped,
  }
  if (allowed[fate].test(first) && stopped.test(second)) return []
  return [`a container ${fate}: it ended with ${first}, the other one with ${second}`]
}
