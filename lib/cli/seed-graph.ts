/**
 * The graph of `kun-stream seed`: records of each block are read as examples, in input order, and written in a form.
 *
 *   blocks → examples → rows and rejects
 */
import { Buffer, isUtf8 } from 'node:buffer'
import { from, type Graph, type Source } from '../core/graph.js'
import type { OrderedSink } from '../core/sink-node.js'
import type { Stage } from '../core/types.js'
import { ShardFormatError } from '../errors.js'
import { say } from '../language/say.js'
import type { Block } from '../text/block.js'
import { withoutConstants } from '../text/json-constants.js'
import { jsonFault } from '../text/json-fault.js'
import type { Example } from '../training/example.js'
import { isRefused, type Refusal, type Refused } from '../training/read-example.js'
import { lineOf, type NumberedRecord, RecordNumbers } from './source-records.js'
import type { Output } from './terminal/output.js'
import type { TrainingOutput } from './training-output.js'

export interface SeedCounts {
  records: number
  examples: number
  readonly refused: Map<Refusal, number>
  /** The first refused records, one line each. */
  readonly firstRefused: string[]
}

interface SeedGraphParts {
  readonly source: Source<Block>
  readonly read: (record: unknown) => Example | Refused
  readonly rowOf: (example: Example) => Parameters<TrainingOutput['add']>[0]
  readonly output: TrainingOutput
  /** Receives a line for each record that is refused; null if they are not wanted. */
  readonly rejects: Output | null
  readonly counts: SeedCounts
  /** Throws if the records that were read are not worth a file: the one under its name then stays. */
  readonly check: () => void
}

/** Refused records that are listed on the terminal. */
const listedMax = 10

export function seedGraph(parts: SeedGraphParts): Graph {
  return from(parts.source).via(examplesStage(parts)).to(exampleSink(parts))
}

interface ReadRecord {
  /** FILE:LINE */
  readonly at: string
  readonly result: Example | Refused
}

interface ReadBlock {
  readonly records: readonly ReadRecord[]
  /** Why the shard cannot be read any further. */
  readonly failure: ShardFormatError | null
}

function examplesStage({ read }: SeedGraphParts): Stage<Block, ReadBlock> {
  const numbers = new RecordNumbers()
  const readBlock = (block: Block): ReadBlock => {
    const records: ReadRecord[] = []
    let failure: ShardFormatError | null = null
    for (const record of numbers.of(block)) {
      const { rejected } = record
      if (rejected?.reason.startsWith('shard-')) {
        failure ??= failureOf(block.shard, rejected.reason, rejected.detail)
        continue
      }
      const at = `${block.shard}:${record.number}`
      const unread = rejected === null ? null : `${rejected.reason}: ${rejected.detail}`
      records.push({ at, result: unread === null ? readRecord(block, record, read) : unreadable(unread) })
    }
    return { records, failure }
  }
  return {
    name: 'examples',
    ordered: true,
    process: async (blocks) => blocks.map((block) => ({ emit: [readBlock(block)] })),
  }
}

/** Detail of a refusal: the same on every version of Node, unlike the message of JSON.parse. */
function readRecord(block: Block, record: NumberedRecord, read: SeedGraphParts['read']): Example | Refused {
  const line = lineOf(block, record)
  if (!isUtf8(line)) return unreadable('the bytes are not UTF-8')
  const source = withoutConstants(
    Buffer.from(line)
      .toString('utf8')
      .replace(/^\ufeff/, '')
      .trimEnd(),
  )
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    const fault = jsonFault(source)
    return unreadable(
      `not valid JSON: ${fault === null ? 'it cannot be parsed' : `character ${fault.at}: ${fault.what}`}`,
    )
  }
  return read(value)
}

function unreadable(detail: string): Refused {
  return { refusal: 'unreadable', detail }
}

/** Returns null for an empty file: no record of it is lost. */
function failureOf(shard: string, reason: string, detail: string): ShardFormatError | null {
  if (reason === 'shard-empty') return null
  return new ShardFormatError(say`${shard} cannot be read (${reason}): ${detail}`, { details: { shard, reason } })
}

function exampleSink({ rowOf, output, rejects, counts, check }: SeedGraphParts): OrderedSink<ReadBlock> {
  const refuse = (at: string, { refusal, detail }: Refused): string => {
    counts.refused.set(refusal, (counts.refused.get(refusal) ?? 0) + 1)
    if (counts.firstRefused.length < listedMax) counts.firstRefused.push(`${at}: ${refusal}: ${detail}`)
    return `${JSON.stringify({ at, reason: refusal, detail })}\n`
  }
  return {
    name: 'write',
    async write(released) {
      for (const { value, settlement } of released) {
        if (settlement !== null) continue
        const lines: string[] = []
        for (const { at, result } of value.records) {
          counts.records++
          if (isRefused(result)) {
            lines.push(refuse(at, result))
            continue
          }
          counts.examples++
          await output.add(rowOf(result))
        }
        await rejects?.write(Buffer.from(lines.join('')))
        const { failure } = value
        if (failure !== null) throw failure
      }
    },
    async end() {
      await rejects?.end()
      check()
      await output.end()
    },
    close: () => output.discard(),
  }
}
