/**
 * The graph of `kun-stream dedup`: blocks are decoded and signed in worker threads, duplicates are decided in input order,
 * and the records that are kept are written unchanged.
 *
 *   blocks → prepare (workers) → in order → dedup → lines and rejects
 */
import { Buffer } from 'node:buffer'
import { from, type Graph, type Source } from '../core/graph.js'
import { sharedBuffers } from '../core/shared-buffers.js'
import type { OrderedSink } from '../core/sink-node.js'
import type { Stage } from '../core/types.js'
import type { Deduplicator, Duplicate } from '../dedup/index.js'
import { ContractError, ShardFormatError } from '../errors.js'
import { say } from '../language/say.js'
import { blocksDecidedMax } from '../run/stages/dedup.js'
import { blocksPerThread, prepareStage } from '../run/stages/prepare.js'
import type { Block, PreparedBlock, PrepareReject } from '../text/block.js'
import { textAt } from '../text/columns.js'
import type { WorkerPool } from '../workers/pool.js'
import { KeptLines, type NumberedRecord, RecordNumbers } from './source-records.js'
import type { Output } from './terminal/output.js'
import type { UnreadableRecords } from './unreadable-records.js'

export interface DedupCounts {
  records: number
  kept: number
  exact: number
  near: number
  unreadable: number
}

interface DedupGraphParts {
  readonly source: Source<Block>
  readonly pool: WorkerPool
  readonly deduplicator: Deduplicator
  /** Number of the first block in the index. */
  readonly firstBlock: number
  readonly output: Output
  /** Receives a line for each record that is dropped or unreadable; null if they are not wanted. */
  readonly rejects: Output | null
  readonly counts: DedupCounts
  readonly unreadable: UnreadableRecords
}

/** Builds the graph. The caller closes the parts. */
export function dedupGraph(parts: DedupGraphParts): Graph {
  const { pool } = parts
  const blocksInFlightMax = pool.threads * blocksPerThread
  /** Blocks whose records are not written yet, by number. */
  const sources = new Map<number, Block>()
  const prepare = (block: Block): Promise<PreparedBlock> => {
    sources.set(block.number, block)
    return pool.prepare(block, [], true)
  }
  return from(parts.source)
    .via(prepareStage({ blocksInFlightMax, prepare }))
    .via(decideStage(parts, sources))
    .to(linesSink(parts))
}

interface DecidedBlock {
  /** Its memory, which is used again once its lines are written. */
  readonly source: Block
  /** Ranges of the source, each as long as possible. */
  readonly lines: readonly Uint8Array[]
  readonly rejects: Buffer
  readonly counts: Readonly<DedupCounts>
  /** Details of its unreadable records. */
  readonly unreadable: readonly string[]
  /** Why the shard cannot be read any further. */
  readonly failure: ShardFormatError | null
}

function decideStage(
  { deduplicator, firstBlock }: DedupGraphParts,
  sources: Map<number, Block>,
): Stage<PreparedBlock, DecidedBlock> {
  const numbers = new RecordNumbers()

  async function decide(prepared: PreparedBlock): Promise<DecidedBlock> {
    const source = sources.get(prepared.number)
    if (source === undefined) throw new ContractError(`block ${prepared.number} was not read`)
    sources.delete(prepared.number)
    const records = numbers.of(source)
    const nameOf = (record: NumberedRecord) => `${source.shard}:${record.number}`
    const { document, key, rows } = prepared.chunks
    const ids = Array.from({ length: rows }, (_, row) => {
      return textAt(key, row) || nameOf(records[document[row] as number] as NumberedRecord)
    })
    const { verdicts } = await deduplicator.decide({ ...prepared, number: firstBlock + prepared.number }, ids)
    const rejected = new Map(prepared.rejects.map((reject) => [reject.document, reject]))
    const counts: DedupCounts = { records: 0, kept: 0, exact: 0, near: 0, unreadable: 0 }
    const lines = new KeptLines(source)
    const rejects: string[] = []
    const unreadable: string[] = []
    let failure: ShardFormatError | null = null
    let row = 0
    for (const record of records) {
      const reject = rejected.get(record.document)
      if (reject !== undefined) {
        if (isOfShard(reject)) {
          failure ??= failureOf(source.shard, reject)
          continue
        }
        counts.records++
        counts.unreadable++
        const detail = `${reject.reason}: ${reject.detail}`
        const at = nameOf(record)
        unreadable.push(detail)
        rejects.push(`${JSON.stringify({ id: reject.key || at, at, reason: 'unreadable', detail })}\n`)
        continue
      }
      counts.records++
      const id = ids[row]
      const verdict = verdicts[row++] ?? null
      if (verdict === null) {
        counts.kept++
        lines.add(record)
      } else {
        counts[kindOf(verdict)]++
        rejects.push(`${JSON.stringify({ id, at: nameOf(record), ...verdict })}\n`)
      }
    }
    return { source, lines: lines.parts(), rejects: Buffer.from(rejects.join('')), counts, unreadable, failure }
  }

  return {
    name: 'dedup',
    ordered: true,
    inFlightMax: blocksDecidedMax,
    process: async (blocks) => {
      const outcomes = []
      for (const block of blocks) outcomes.push({ emit: [await decide(block)] })
      return outcomes
    },
  }
}

function kindOf({ reason }: Duplicate): 'exact' | 'near' {
  return reason === 'exact-duplicate' ? 'exact' : 'near'
}

function isOfShard({ reason }: PrepareReject): boolean {
  return reason.startsWith('shard-')
}

/** Returns null for an empty file: no record of it is lost. */
function failureOf(shard: string, { reason, detail }: PrepareReject): ShardFormatError | null {
  if (reason === 'shard-empty') return null
  return new ShardFormatError(say`${shard} cannot be read (${reason}): ${detail}`, { details: { shard, reason } })
}

const newline = Buffer.from('\n')

function linesSink({ output, rejects, counts, unreadable }: DedupGraphParts): OrderedSink<DecidedBlock, unknown> {
  /** Whether the last line written lacks a line end, as the last line of a file may. */
  let owesNewline = false
  return {
    name: 'write',
    async write(released) {
      for (const { value, settlement } of released) {
        if (settlement !== null) continue
        for (const name of countNames) counts[name] += value.counts[name]
        for (const detail of value.unreadable) unreadable.add(detail)
        await rejects?.write(value.rejects)
        const { lines } = value
        await output.writeAll(owesNewline && lines.length > 0 ? [newline, ...lines] : lines)
        owesNewline = lines.length > 0 ? lines.at(-1)?.at(-1) !== newline[0] : owesNewline
        const { buffer } = value.source.bytes
        if (buffer instanceof SharedArrayBuffer) sharedBuffers.give(buffer)
        if (value.failure !== null) throw value.failure
      }
    },
    async end() {
      await output.end()
      await rejects?.end()
    },
  }
}

const countNames = ['records', 'kept', 'exact', 'near', 'unreadable'] as const
