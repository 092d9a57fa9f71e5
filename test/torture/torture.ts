/**
 * Kills runs, at random instants and at each named step of the commit and of recovery, until as many kills are made as
 * asked for; brings each to its end, and compares: with a run from its replies alone, with an uninterrupted run over
 * the same replies, and its requests with the replies that were readable after each kill.
 */
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readManifest, verifyRun } from '../../lib/sinks/index.js'
import { Random } from '../support/random.js'
import { bytesOf, runTiny } from '../support/session.js'
import { type Plan, planKills } from './plans.js'
import { live, readableKeys, readRequests, serverProcess, tearManifest } from './processes.js'

export interface TortureOptions {
  /** SIGKILLs in all. */
  readonly kills: number
  readonly seed: number
  /** Scratch space; left as it is, so that what failed can be looked at. */
  readonly directory: string
  /** Of one run, before it is let come to its end. */
  readonly killsPerRun?: number
  readonly say?: (line: string) => void
}

export interface TortureReport {
  readonly kills: number
  readonly runs: number
  /** Kills by place: 'rename before', 'random instant' … */
  readonly places: Readonly<Record<string, number>>
  /** Requests about records answered whole, and those among them that answered one a second time. */
  readonly requests: number
  readonly paidTwice: number
  /** What did not hold; empty when all is well. */
  readonly faults: readonly string[]
}

/** Some ten cuts: a kill in each of them fits into a run. */
const set = ['output.candidatesPerCut=8', 'output.rowsPerFile=5']
/** Nobody listens there: every request is refused. */
const nobody = 'http://127.0.0.1:9/v1'

export async function torture(options: TortureOptions): Promise<TortureReport> {
  const { kills, seed, directory, killsPerRun = 22, say = () => undefined } = options
  mkdirSync(directory, { recursive: true })
  const random = new Random(seed)
  const report = { kills: 0, runs: 0, places: {} as Record<string, number>, requests: 0, paidTwice: 0 }
  const faults: string[] = []
  const plain = await uninterrupted(join(directory, 'plain'), seed)
  say(`an uninterrupted run: ${plain.lifeMs} ms, ${plain.cuts} cuts, ${plain.changes} changes of files`)
  let others = plain.bytes
  while (report.kills < kills) {
    const run = `run-${report.runs}`
    const plans = planKills({
      ...plain,
      random,
      kills: Math.min(killsPerRun, kills - report.kills),
      round: report.runs,
    })
    const outcome = await tortureRun(join(directory, run), plans, { ...plain, random, seed: seed + report.runs })
    for (const place of outcome.places) report.places[place] = (report.places[place] ?? 0) + 1
    if (JSON.stringify(outcome.bytes) === JSON.stringify(others)) {
      outcome.faults.push('has the bytes of another run: its server gave the same replies, so that nothing is shown')
    }
    others = outcome.bytes
    faults.push(...outcome.faults.map((fault) => `${run}: ${fault}`))
    report.kills += outcome.places.length
    report.requests += outcome.requests
    report.paidTwice += outcome.paidTwice
    report.runs++
    say(`${run}: ${report.kills} of ${kills} kills, ${outcome.requests} requests, ${faults.length} faults`)
  }
  return { ...report, faults }
}

/** How long a run takes, how many cuts it makes and how often it changes a file, when nobody kills it. */
async function uninterrupted(directory: string, seed: number) {
  const server = await serverProcess(`${directory}.jsonl`, seed)
  try {
    const startedMs = performance.now()
    const said = await live({ directory, endpoint: server.url, set, killAt: null })
    const lifeMs = Math.round(performance.now() - startedMs)
    const cuts = (await readManifest(directory)).length
    return { lifeMs, cuts, changes: Number(said.split(' ')[1]), bytes: bytesOf(directory) }
  } finally {
    await server.close()
  }
}

interface Circumstances {
  readonly random: Random
  readonly lifeMs: number
  readonly cuts: number
  readonly seed: number
}

async function tortureRun(directory: string, plans: readonly Plan[], { random, lifeMs, cuts, seed }: Circumstances) {
  const places: string[] = []
  /** Replies that were readable after a kill, with the number of requests that the server had seen by then. */
  const readable = new Map<string, number>()
  const requestLog = `${directory}.jsonl`
  const server = await serverProcess(requestLog, seed)
  try {
    const life = { directory, endpoint: server.url, set }
    for (const plan of plans) {
      const cutsLeft = cuts - 1 - (await readManifest(directory)).length
      if (cutsLeft < 0 && !('ending' in plan)) continue
      const place = await live(
        'instant' in plan
          ? { ...life, killAt: null, killAfterMs: plan.instant * lifeMs }
          : { ...life, killAt: 'step' in plan ? { ...plan, cutsAhead: Math.min(plan.cutsAhead, cutsLeft) } : plan },
      )
      if (place.startsWith('done')) break
      const ahead = 'step' in plan ? Math.min(plan.cutsAhead, cutsLeft) : 0
      const which = cutsLeft - ahead === cuts - 1 ? ', first cut' : cutsLeft === ahead ? ', last cut' : ''
      places.push('step' in plan && !place.startsWith('recover') ? place + which : place)
      if (place === 'manifest-write after') await tearManifest(directory, random)
      const seen = await server.requests()
      for (const key of await readableKeys(join(directory, 'replies'))) if (!readable.has(key)) readable.set(key, seen)
    }
    await live({ ...life, killAt: null })
  } finally {
    await server.close()
  }
  const bytes = bytesOf(directory)
  const asked = readRequests(requestLog).filter(({ key }) => key !== null)
  const again = asked.filter(({ key, number }) => number > (readable.get(key as string) ?? Number.POSITIVE_INFINITY))
  const whole = asked.filter(({ complete, status }) => complete && status === 200)
  const faults = [
    ...(again.length > 0 ? [`${again.length} replies that were readable were asked for again`] : []),
    ...(readable.size === 0 ? ['no reply was readable after any kill: nothing is shown'] : []),
    ...(await differences(directory, bytes)),
  ]
  return {
    places,
    bytes,
    requests: whole.length,
    paidTwice: whole.length - new Set(whole.map(({ key }) => key)).size,
    faults,
  }
}

/** What is not as in a run from the replies alone, in an uninterrupted run over them, or as the manifest says. */
async function differences(directory: string, bytes: Record<string, string>): Promise<string[]> {
  const faults: string[] = []
  const unasked = ['servers.outageMaxMs=1s', ...set]
  const compare = async (what: string, other: string, more: readonly string[]): Promise<void> => {
    try {
      await runTiny({ directory: other, endpoint: nobody, small: true, set: [...unasked, ...more] })
    } catch (error) {
      faults.push(`${what} fails: ${error}`)
      return
    }
    const found = bytesOf(other)
    const names = [...new Set([...Object.keys(found), ...Object.keys(bytes)])].filter((n) => found[n] !== bytes[n])
    if (names.length > 0) faults.push(`${what} gives other bytes: ${names.join(', ')}`)
  }
  await compare('a run from its replies alone', `${directory}-rebuilt`, [`replies.from=["${directory}"]`])
  const over = `${directory}-over`
  cpSync(join(directory, 'replies'), join(over, 'replies'), { recursive: true })
  await compare('an uninterrupted run over its replies', over, [`replies.from=["${directory}"]`])
  const { findings } = await verifyRun(directory)
  faults.push(...findings.map((finding) => `verify: ${JSON.stringify(finding)}`))
  return faults
}
