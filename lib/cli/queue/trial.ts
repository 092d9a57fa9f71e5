/** An attempt at a part of a unit in a process of its own: records may end the process that makes it. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AbortedError, KunStreamError } from '../../errors.js'
import { say } from '../../language/say.js'

interface TrialOptions {
  /** Directory or s3:// of the run. */
  readonly where: string
  readonly unit: string
  readonly set: readonly string[]
  readonly trust: boolean
  /** A process that takes longer is killed, and counts as failed. */
  readonly msMax: number
  readonly signal: AbortSignal
  /** The command line; by default that of this process. */
  readonly command?: readonly [string, ...string[]]
}

interface TrialOutcome {
  readonly failed: boolean
  /** For people: the signal, the exit code, the last line of its messages. */
  readonly how: string
}

/** @throws {AbortedError | KunStreamError} the attempt says nothing of the records: stopped, server down, wrong use */
export async function tryRecords(records: readonly string[], options: TrialOptions): Promise<TrialOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-trial-'))
  try {
    const list = join(folder, 'records.json')
    await writeFile(list, JSON.stringify(records))
    return await runTrial(list, options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runTrial(
  list: string,
  { where, unit, set, trust, msMax, signal, command }: TrialOptions,
): Promise<TrialOutcome> {
  const [program, ...first] = command ?? [process.execPath, ...process.execArgv, process.argv[1] as string]
  const overrides = [...set.flatMap((each) => ['--set', each]), ...(trust ? ['--trust'] : [])]
  const child = spawn(program, [...first, 'units', 'trial', where, unit, '--records', list, ...overrides], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    words = (words + piece).slice(-4_000)
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, msMax)
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  try {
    const [code, killed] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status, name) => resolve([status, name]))
    })
    const line = words.trim().split('\n').at(-1) ?? ''
    if (signal.aborted) throw new AbortedError(say`stopped`)
    if (late) return { failed: true, how: say`no end within ${msMax / 1000} s` }
    if (killed !== null) return { failed: true, how: say`ended by ${killed}` }
    if (code === 2 || code === 3) throw new KunStreamError(say`the attempt could not be made: ${line}`)
    return { failed: code !== 0, how: code === 0 ? '' : say`exit code ${code}: ${line}` }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
