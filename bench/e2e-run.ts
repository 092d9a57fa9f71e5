/**
 * One whole run in a process of its own, for bench/e2e.ts: `node dist/bench/e2e-run.js RECIPE DIRECTORY`. As
 * `kun-stream run` does it. Prints one line of JSON.
 */
import { boundHeapGrowth } from '../lib/cli/heap-growth.js'
import { loadRecipe } from '../lib/recipe/index.js'
import { settingsOf } from '../lib/recipe/run-settings.js'
import { rowsOf } from '../lib/run/accounting.js'
import { startKunRun } from '../lib/run/run.js'
import { type ThreadSeconds, threadWatch } from './thread-seconds.js'

export interface RunFigures {
  readonly seconds: number
  readonly rows: number
  readonly candidates: number
  readonly requests: number
  readonly threads: ThreadSeconds
}

/** Interval at which the times of threads are read, ms. */
const lookMs = 100

const [recipePath, directory] = process.argv.slice(2)
if (recipePath === undefined || directory === undefined) throw new Error('usage: e2e-run.js RECIPE DIRECTORY')
boundHeapGrowth()
const prepared = await settingsOf(await loadRecipe(recipePath, []), directory)
const { spent } = threadWatch()
const [startMs, cpuBefore] = [performance.now(), process.cpuUsage()]
let seen = spent()
// Threads end before the run does, and their times with them.
const looking = setInterval(() => {
  seen = latest(seen, spent())
}, lookMs)
const run = await startKunRun(prepared.settings)
await run.done
const seconds = (performance.now() - startMs) / 1000
clearInterval(looking)
const threads = latest(seen, spent())
const { user, system } = process.cpuUsage(cpuBefore)
const all = (user + system) / 1e6
const { counters, servers } = run.progress()
await prepared.close()
const figures: RunFigures = {
  seconds,
  rows: rowsOf(counters),
  candidates: Object.values(counters).reduce((sum, own) => sum + own.candidates, 0),
  requests: Object.values(servers.stages).reduce((sum, { requests }) => sum + requests, 0),
  threads: { ...threads, all, other: all - threads.main - threads.dedup - threads.dedupLog - threads.prepare },
}
process.stdout.write(`${JSON.stringify(figures)}\n`)

/** The larger of both times of each thread. */
function latest(one: ThreadSeconds, other: ThreadSeconds): ThreadSeconds {
  const names = Object.keys(one) as (keyof ThreadSeconds)[]
  return Object.fromEntries(names.map((name) => [name, Math.max(one[name], other[name])])) as Record<
    keyof ThreadSeconds,
    number
  >
}
