/** Builds what the pages show of a run from its directory. Writes nothing; reads a limited number of rows. */

import { basename, resolve } from 'node:path'
import { stringify } from 'yaml'
import { isRecord } from '../core/objects.js'
import { processSecrets } from '../core/redaction.js'
import { version } from '../core/version.js'
import { zh } from '../language/zh/index.js'
import { funnelStages } from '../publish/funnel-svg.js'
import { reasonMeaning } from '../reject-reasons.js'
import { readSeries } from '../report/series.js'
import { type CallTimings, readTimings } from '../report/timings.js'
import { type Counters, total } from '../run/accounting.js'
import { countersOf } from '../run/committed-cut.js'
import { type ManifestEntry, type RunRecord, readManifest, readRunRecord, recipeNameOf } from '../sinks/index.js'
import { lockHolder } from '../storage/lock/lock.js'
import { PartScan } from './part-scan.js'
import { latestPairs, rejectScan, sourceYields } from './run-samples.js'
import type { GradeCounts, ReasonCount, RunState, RunTotals, RunView } from './view.js'

const recipeCharsMax = 100_000

/** @throws {UsageError | CorruptFileError} the directory is not a run, or its manifest is damaged */
export async function readRunView(directory: string, now = new Date()): Promise<RunView> {
  const [record, entries, calls, series] = await Promise.all([
    readRunRecord(directory),
    readManifest(directory),
    readTimings(directory),
    readSeries(directory),
  ])
  const last = entries.at(-1)
  const counters = last === undefined ? {} : countersOf(last)
  const scan = new PartScan(directory)
  const files = entries.flatMap((entry) => entry.files)
  const rejects = await rejectScan(scan, files)
  const { sources, areEstimated } = await sourceYields(scan, files, record, counters)
  const pairs = await latestPairs(scan, files)
  const reasons = reasonCounts(counters, rejects.examples)
  return {
    version,
    madeAt: now.toISOString(),
    name: (record && recipeNameOf(record)) ?? basename(resolve(directory)),
    directory: resolve(directory),
    state: await stateOf(directory, calls.at(-1)),
    totals: totalsOf(counters, entries),
    stages: Object.keys(counters).length === 0 ? [] : funnelStages(counters),
    sources,
    sourcesAreEstimated: areEstimated,
    grades: gradesOf(counters, rejects.grades),
    lengths: summedRecords(Object.values(counters).map(({ figures }) => figures.lengths)),
    types: byCount(sums(Object.values(counters).map(({ figures }) => figures.instructionTypes))),
    words: wordsOf(counters),
    rejects: reasons,
    meanings: meaningsOf(reasons.map(({ reason }) => reason)),
    pairs,
    calls,
    series,
    recipe: recipeText(record),
    versions: versionsOf(record),
    extractive: pairs.some(({ cells }) =>
      cells.some(([name, value]) => name === 'model' && value.includes('builtin-extractive')),
    ),
    faults: scan.faults,
  }
}

/** Returns the state of a run by its lock and the latest entry of timings.json. */
export async function stateOf(directory: string, last: CallTimings | undefined): Promise<RunState> {
  const lock = await lockHolder(directory)
  const holder = lock === null ? null : { pid: lock.holder.pid, host: lock.holder.host, lastSignMs: lock.lastSignMs }
  if (lock !== null) return { kind: lock.state, code: '', holder }
  if (last === undefined) return { kind: 'new', code: '', holder }
  const known: Readonly<Record<string, RunState['kind']>> = { input: 'ended', limit: 'limit', running: 'killed' }
  const kind = known[last.end] ?? 'stopped'
  return { kind, code: kind === 'stopped' ? last.end : '', holder }
}

export function totalsOf(counters: Counters, entries: readonly ManifestEntry[]): RunTotals {
  const splits = Object.values(counters)
  const sum = (of: (own: Counters[string]) => number): number => splits.reduce((all, own) => all + of(own), 0)
  return {
    documents: sum(({ documents }) => documents),
    chunks: sum(({ chunks }) => chunks),
    candidates: sum(({ candidates }) => candidates),
    attempts: sum(({ attempts }) => attempts),
    rows: sum(({ rows }) => rows),
    rejects: sum((own) => total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects)),
    cuts: entries.length,
    bytes: entries.flatMap(({ files }) => files).reduce((all, { bytes }) => all + bytes, 0),
  }
}

/** Returns the rejects by stage and reason, most frequent first. */
function reasonCounts(counters: Counters, examples: ReadonlyMap<string, ReasonCount['examples']>): ReasonCount[] {
  const found = new Map<string, { stage: string; reason: string; count: number }>()
  for (const own of Object.values(counters)) {
    for (const rejects of [own.documentRejects, own.chunkRejects, own.attemptRejects]) {
      for (const [stage, reasons] of Object.entries(rejects)) {
        for (const [reason, count] of Object.entries(reasons)) {
          const key = reasonKey(stage, reason)
          found.set(key, { stage, reason, count: (found.get(key)?.count ?? 0) + count })
        }
      }
    }
  }
  return [...found]
    .map(([key, counted]) => ({ ...counted, examples: examples.get(key) ?? [] }))
    .sort((a, b) => b.count - a.count || (reasonKey(a.stage, a.reason) < reasonKey(b.stage, b.reason) ? -1 : 1))
}

function reasonKey(stage: string, reason: string): string {
  return `${stage}/${reason}`
}

function meaningsOf(reasons: readonly string[]): RunView['meanings'] {
  const pairs = reasons.flatMap((reason) => {
    const en = reasonMeaning(reason)
    return en === null ? [] : [[reason, { en, zh: zh[en] ?? en }] as const]
  })
  return Object.fromEntries(pairs)
}

function gradesOf(counters: Counters, rejected: ReadonlyMap<string, readonly number[]>): GradeCounts[] {
  const rows = summedRecords(Object.values(counters).map(({ figures }) => figures.grades))
  const columns = [...new Set([...Object.keys(rows), ...rejected.keys()])].sort()
  return columns.map((column) => ({
    column,
    rows: rows[column] ?? new Array<number>(10).fill(0),
    rejected: rejected.get(column) ?? null,
  }))
}

function wordsOf(counters: Counters): RunView['words'] {
  const splits = Object.values(counters)
  const columns = [...new Set(splits.flatMap(({ figures }) => Object.keys(figures.words)))].sort()
  return columns.map((column) => ({
    column,
    counts: byCount(sums(splits.map(({ figures }) => figures.words[column] ?? {}))),
  }))
}

function sums(records: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  const all = new Map<string, number>()
  for (const [name, value] of records.flatMap((record) => Object.entries(record))) {
    all.set(name, (all.get(name) ?? 0) + value)
  }
  return all
}

function byCount(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
}

function summedRecords(records: readonly Readonly<Record<string, readonly number[]>>[]): Record<string, number[]> {
  const all = new Map<string, number[]>()
  for (const [name, bins] of records.flatMap((record) => Object.entries(record))) {
    const own = all.get(name) ?? []
    for (const [bin, value] of bins.entries()) own[bin] = (own[bin] ?? 0) + value
    all.set(name, own)
  }
  return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function recipeText(record: RunRecord | null): string {
  const recipe = record?.free.recipe
  if (recipe === undefined) return ''
  return processSecrets.text(stringify(recipe, { lineWidth: 100 }).slice(0, recipeCharsMax))
}

/** Values that determine the bytes of the dataset, as far as they are versions. */
function versionsOf(record: RunRecord | null): [string, string][] {
  const { version: made, text, encoder, tokenizer } = record?.pinned ?? {}
  const capabilities = record?.free.capabilities
  const servers = isRecord(capabilities) ? Object.entries(capabilities) : []
  const named: [string, unknown][] = [
    ['kun-stream', made],
    ['text', text],
    ['encoder', encoder],
    ['tokenizer', isRecord(tokenizer) ? tokenizer.name : undefined],
    ...servers.map(([model, found]): [string, unknown] => [model, isRecord(found) ? found.server : undefined]),
  ]
  return named.flatMap(([name, value]) => (value === undefined || value === null ? [] : [[name, String(value)]]))
}
