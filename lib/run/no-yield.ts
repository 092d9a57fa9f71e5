/**
 * Detects that a run yields nothing: its first records, or the first of a split or shard, all end at one place for one
 * reason (a wrong field, a context that is too short, a server that refuses). Receives records in input order, as they
 * are released, so that every run stops at the same record. It changes no outcome; it returns the error to stop with.
 */
import { ownValue } from '../core/dictionary.js'
import { NoYieldError } from '../errors.js'
import { say, translated } from '../language/say.js'
import type { Counters, SplitCounters } from './accounting.js'
import { isPair, Rejected, type ReleasedRecord, recordOf } from './records.js'

interface NoYieldOptions {
  /** Number of first records that may all end at one place for one reason; null sets no limit. */
  readonly recordsMax: number | null
  /** Names of the stages after dedup, in order. */
  readonly llmStages: readonly string[]
  /** Counters of the last committed cut. */
  readonly from: Counters | null
}

/** Outcome of one record: `place` is the stage where it ended, or null if it became a row. */
interface Ending {
  readonly split: string
  readonly shard: string
  readonly place: string | null
  readonly reason: string
  readonly detail: string
  readonly fault: boolean
}

/** Outcomes of the records that reached one place. */
interface Place {
  readonly name: string
  /** Whether one of them continued. */
  passed: boolean
  count: number
  /** By reason; reasons beyond `reasonsMax` are counted in `count` alone. */
  readonly reasons: Map<string, number>
  /** Detail of the first that ended here. */
  detail: string
  /** Whether all ended by a failure; a drop by a filter, a threshold or the deduplication is not a failure. */
  fault: boolean
}

/** Reasons counted for each place. */
const reasonsMax = 100
/** Minimum share of one reason among records that end alike. Failures always count as ending alike. */
const alikeShareMin = 0.9

/** Shards counted; the oldest one is removed for another. */
const shardsMax = 10_000

export class NoYieldDetector {
  readonly #recordsMax: number
  readonly #places: readonly string[]
  readonly #run: Scope
  readonly #splits = new Map<string, Scope>()
  /** By split and shard: unreadable records since the first one; −1 after a readable record. */
  readonly #shards = new Map<string, number>()
  #lastShard = ''
  /** A split that has rows and its shard with a readable record: nothing follows from further records of theirs. */
  #settledSplit: string | null = null
  #settledShard = ''

  constructor({ recordsMax, llmStages, from }: NoYieldOptions) {
    this.#recordsMax = recordsMax ?? Number.POSITIVE_INFINITY
    this.#places = ['documents', 'chunks', 'dedup', ...llmStages]
    this.#run = new Scope(this.#places)
    for (const [split, counters] of Object.entries(from ?? {})) {
      this.#splitScope(split).restore(counters)
      this.#run.restore(counters)
    }
  }

  /** @returns the error to stop with if the first records all ended alike */
  released(arrived: ReleasedRecord): NoYieldError | null {
    if (this.#isSettled(arrived)) return null
    const ending = endingOf(arrived)
    if (ending === null) return null
    const max = this.#recordsMax
    const run = this.#run.add(ending, max)
    const scope = this.#splitScope(ending.split)
    const split = scope.add(ending, max)
    this.#settledSplit = this.#run.yielded && scope.yielded && ending.place !== 'documents' ? ending.split : null
    this.#settledShard = ending.shard
    if (run !== null) return stoppedAt(say`the run`, run)
    if (split !== null) return stoppedAt(say`split '${ending.split}'`, split)
    const count = this.#unreadOf(ending)
    if (count < max) return null
    return stoppedAt(say`shard ${ending.shard}`, {
      name: 'documents',
      count,
      reason: ending.reason,
      detail: ending.detail,
      alike: count,
    })
  }

  /** @returns the error of a run that reached the end of its input without a row */
  atEnd(): NoYieldError | null {
    if (this.#run.yielded) return null
    const last = this.#run.last()
    if (last === null) {
      return new NoYieldError(
        say`the sources hold no document: the files are empty or have no records; check \`sources\``,
      )
    }
    if (!last.fault) return null
    const group = groupOf(last)
    return noYield(
      say`The run has no rows: all ${group.count} records that reached '${group.name}' ${endedText(group)}`,
      group,
    )
  }

  /** Whether nothing can follow from a record, rejected or not: nearly all records of a run. */
  #isSettled(released: ReleasedRecord): boolean {
    if (this.#settledSplit === null) return false
    const record = recordOf(released)
    if (record === null) return false
    const { split, shard } = !(record instanceof Rejected) && isPair(record) ? record.candidate : record
    return split === this.#settledSplit && shard === this.#settledShard
  }

  #splitScope(split: string): Scope {
    const known = this.#splits.get(split) ?? new Scope(this.#places)
    this.#splits.set(split, known)
    return known
  }

  /** Returns the number of unreadable records of a shard that has no readable one so far; otherwise 0. */
  #unreadOf({ split, shard, place, fault }: Ending): number {
    const key = `${split}/${shard}`
    const unread = place === 'documents' && fault
    // Most records are from the same shard as the previous one.
    if (!unread && key === this.#lastShard) return 0
    this.#lastShard = unread ? '' : key
    const before = this.#shards.get(key) ?? 0
    const now = unread && before >= 0 ? before + 1 : -1
    this.#shards.set(key, now)
    if (this.#shards.size > shardsMax) this.#shards.delete(this.#shards.keys().next().value as string)
    return Math.max(0, now)
  }
}

/** The places of a run or of a split, in the order in which records pass them. */
class Scope {
  yielded = false
  readonly #places: readonly Place[]

  constructor(names: readonly string[]) {
    this.#places = names.map((name) => ({
      ...{ name, passed: false, count: 0, reasons: new Map<string, number>(), detail: '', fault: true },
    }))
  }

  /** @returns the records that ended at the same place as this one, if they are `recordsMax` or more and all ended alike */
  add(ending: Ending, recordsMax: number): Group | null {
    if (this.yielded) return null
    for (const place of this.#places) {
      if (place.name === ending.place) return this.#ended(place, ending, 1).count < recordsMax ? null : alikeAt(place)
      place.passed = true
    }
    this.yielded = true
    return null
  }

  /** Restores the committed state. */
  restore({ rows, stages, documentRejects }: SplitCounters): void {
    if (rows > 0) this.yielded = true
    for (const place of this.#places) {
      const counts = ownValue(stages, place.name)
      if (counts === undefined) continue
      if (counts.out > 0) place.passed = true
      if (counts.failed > 0) this.#ended(place, { reason: 'failed', detail: '', fault: true }, counts.failed)
      if (place.name === 'documents') this.#restoreDocuments(place, documentRejects)
      else {
        for (const [reason, count] of Object.entries(counts.dropped)) {
          this.#ended(place, { reason, detail: '', fault: isFault(place.name, place.name, reason) }, count)
        }
      }
    }
  }

  /** Returns the last place that any record reached, if all that reached it ended there; null otherwise. */
  last(): Place | null {
    return this.#places.findLast(({ count }) => count > 0) ?? null
  }

  #restoreDocuments(place: Place, rejects: SplitCounters['documentRejects']): void {
    for (const [stage, reasons] of Object.entries(rejects)) {
      for (const [reason, count] of Object.entries(reasons)) {
        this.#ended(place, { reason, detail: '', fault: isFault('documents', stage, reason) }, count)
      }
    }
  }

  #ended(place: Place, { reason, detail, fault }: Pick<Ending, 'reason' | 'detail' | 'fault'>, count: number): Place {
    if (place.detail === '') place.detail = detail
    const before = place.reasons.get(reason)
    if (before !== undefined || place.reasons.size < reasonsMax) place.reasons.set(reason, (before ?? 0) + count)
    place.fault &&= fault
    place.count += count
    return place
  }
}

/** Records that ended at one place, with the reason of most of them. */
interface Group {
  readonly name: string
  readonly count: number
  readonly reason: string
  readonly detail: string
  /** Of these, for that reason. */
  readonly alike: number
}

/** Returns null if a record continued or they did not end alike. Duplicates are not a fault, even if all records are. */
function alikeAt(place: Place): Group | null {
  if (place.passed || place.name === 'dedup') return null
  const group = groupOf(place)
  return place.fault || group.alike >= alikeShareMin * group.count ? group : null
}

function groupOf({ name, count, detail, reasons }: Place): Group {
  const [reason = '', alike = 0] = [...reasons].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0])
  return { name, count, detail, reason, alike }
}

function endedText({ count, alike, reason }: Group): string {
  return alike === count ? say`ended as ${reason}` : say`ended without a row, ${alike} of them as ${reason}`
}

function endingOf(arrived: ReleasedRecord): Ending | null {
  const { settlement } = arrived
  const record = recordOf(arrived)
  if (record === null) return null
  if (record instanceof Rejected) {
    const { split, shard, reject } = record
    const { stage, reason, detail } = reject
    const place = reject.chunk === null ? 'documents' : 'chunks'
    return { split, shard, place, reason, detail, fault: isFault(place, stage, reason) }
  }
  const { split, shard } = isPair(record) ? record.candidate : record
  if (settlement === null) return { split, shard, place: null, reason: '', detail: '', fault: false }
  const { stage, reason, detail, kind } = settlement
  return { split, shard, place: stage, reason, detail, fault: kind === 'failed' || isFault(stage, stage, reason) }
}

/** Returns false for intended drops: by a filter, a bound, a threshold, or as a duplicate. */
function isFault(place: string, stage: string, reason: string): boolean {
  if (place === 'documents') return stage !== 'filter' && stage !== 'chunk'
  return (
    place !== 'chunks' &&
    place !== 'dedup' &&
    !/^(?:perplexity-|ifd-|answer-perplexity-|screen-low|score-low|pair-low|column-low|column-high|column-value|instruction-|output-|duplicate-)/.test(
      reason,
    )
  )
}

function stoppedAt(whose: string, group: Group): NoYieldError {
  const { count, name } = group
  const ended = endedText(group)
  return noYield(
    name === 'documents'
      ? say`The first ${count} records of ${whose} all ${ended}`
      : say`The first ${count} records of ${whose} that reached '${name}' all ${ended}`,
    group,
  )
}

function noYield(what: string, { name, count, reason, detail }: Group): NoYieldError {
  const words = detail === '' ? '' : ` (${detail})`
  const advice = advices.find(([pattern]) => pattern.test(`${name} ${reason}`))?.[1] ?? ''
  return new NoYieldError(
    say`${what}${words}. ${translated(advice)} To run a changed recipe, start over with --fresh --force, which keeps
      replies; --set brakes.sameEndingRecords=false disables this check`,
    { details: { stage: name, reason, records: count } },
  )
}

const advices: readonly (readonly [RegExp, string])[] = [
  [/ (?:no-text|shard-columns)$/, 'Name the field of the text in `sources[].text`.'],
  [
    /^documents (?:invalid|shard|member|record)/,
    'Check the format of the files and the patterns in `sources[].files`.',
  ],
  [/^(?:documents|chunks)/, 'Check the bounds in `prepare.quality` and `prepare.chunk`, and custom filters.'],
  [/ context-length$/, 'Lower `prepare.chunk.tokensMax`, or serve the model with a longer context.'],
  [/ score-/, 'Check the judge and `kun.score.keepAtLeast`.'],
  [/ (?:answer-)?perplexity-/, 'Check the bounds in `kun.perplexity` and `kun.ifd`: they depend on the model.'],
  [/ ifd-/, 'Check the bounds in `kun.ifd`.'],
  [/ screen-/, 'Check the judge and `kun.screen.keepAtLeast`.'],
  [
    / (?:instruction|output)-/,
    'Check the replies of the model (`simulate` shows a valid one), the prompt and the filter.',
  ],
  [/^/, 'Check the log of the model server, the prompt and the sampling fields.'],
]
