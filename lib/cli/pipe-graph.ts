/** The graph of `kun-stream pipe`, made of the stages and sinks that a run and the library use. */
import { from, type Graph, type GraphBuilder, type Source } from '../core/graph.js'
import type { OrderedSink } from '../core/sink-node.js'
import { UsageError } from '../errors.js'
import type { Candidate, Pair } from '../kun/types.js'
import { say } from '../language/say.js'
import type { OpenModels } from '../recipe/models.js'
import { Rejected, type ReleasedRecord, recordOf, type SettledRecord } from '../run/records.js'
import { type ByteTarget, byteTarget, type Destination } from '../run/sinks/byte-target.js'
import { arrowSink, jsonlSink, parquetSink, type RowSinkOptions } from '../run/sinks/row-sink.js'
import { chunkRows, pairRows } from '../run/sinks/rows.js'
import { chunks, dedup, type RecordStage } from '../run/stages/dedup.js'
import { type PrepareStage, prepare } from '../run/stages/prepare.js'
import { hubSource, localSource, stdinSource } from '../sources/block-sources.js'
import type { Block } from '../text/block.js'
import type { PipeFlags } from './pipe-flags.js'
import type { PipeStages } from './pipe-stages.js'

const split = 'pipe'

/** Returns the source that the arguments name. @throws {UsageError} they name two, or none */
export function pipeSource(
  args: readonly string[],
  { hub, files, revision, hubUrl, token, from: format, text, id, title }: PipeFlags,
  print: (message: string) => void,
): Source<Block> {
  const options = { split, text, id, title, format, shared: true }
  if (hub !== undefined) {
    if (args.length > 0) throw new UsageError(say`--hub and ${args.join(' ')} are two sources: give one`)
    if (files.length === 0)
      throw new UsageError(say`--hub ${hub} needs --files GLOB: kun-stream hub ls ${hub} lists them`)
    return hubSource({ ...options, repo: hub, files, revision, token, hubUrl, onEvent: print })
  }
  if (files.length > 0) throw new UsageError(say`--files requires --hub: files on disk are arguments`)
  if (args.length === 0 || (args.length === 1 && args[0] === '-')) return stdinSource(options)
  return localSource({ ...options, files: args })
}

/** Counts for the summary of a pipe. */
export interface PipeCounts {
  documents: number
  kept: number
  duplicates: number
  rejected: number
  /** Documents that could not be read, and why the first could not. */
  unreadable: number
  firstUnreadable: string
}

/** The stages before any model. */
export class TextStages {
  readonly prepare: PrepareStage
  /** Null if duplicates stay. */
  readonly dedup: RecordStage | null

  constructor({ names, prepare: options, dedup: dedupOptions, workers, models }: PipeStages, counts: PipeCounts) {
    this.prepare = prepare({
      ...options,
      near: names.has('dedup') && dedupOptions.near,
      workers,
      onPrepared: ({ documents }) => {
        counts.documents += documents
      },
    })
    // Next to models, deciding takes little of this thread, and the first row need not wait for another one.
    const threads = workers.dedupThreads ?? 'auto'
    const dedupThreads = threads === 'auto' && models.length > 0 ? 0 : threads
    this.dedup = names.has('dedup') ? dedup({ ...dedupOptions, threads: dedupThreads }) : null
  }

  /** Starts the threads that prepare, before the models are opened. The index is not opened yet: a stop signal would leave its folder. */
  start(): void {
    this.prepare.start()
  }

  /** Ends the threads if no graph has run, which would end them. */
  async close(): Promise<void> {
    await this.prepare.close?.()
  }
}

interface PipeParts {
  readonly source: Source<Block>
  readonly stages: PipeStages
  readonly text: TextStages
  /** Null if no stage calls a model. The caller closes them. */
  readonly models: OpenModels | null
  readonly to: Destination
  readonly format: PipeFlags['to']
  readonly rejects: ByteTarget | null
  /** Throws if the records that were read are not worth a file: the one under its name then stays. */
  readonly check: () => void
  readonly counts: PipeCounts
}

export async function pipeGraph(parts: PipeParts): Promise<Graph> {
  const { text, models } = parts
  const { names, recipe } = parts.stages
  const deduplicated = from(parts.source)
    .via(text.prepare)
    .via(text.dedup ?? chunks())
  if (models === null || recipe === null) return deduplicated.to(sinkOf(parts, chunkRows()))
  const { modelCalls } = await import('./pipe-models.js')
  const { credit, chunkCalls, first, pairCalls } = modelCalls(recipe.kun, names, models)
  const candidates = chunkCalls.reduce<GraphBuilder<Candidate, SettledRecord>>(
    (graph, stage) => graph.via(stage),
    deduplicated.gate(credit),
  )
  if (!names.has('label')) return candidates.to(sinkOf(parts, chunkRows(chunkCalls)))
  const rows = pairRows([...chunkCalls, first, ...pairCalls], recipe.output.shape)
  const pairs: GraphBuilder<Pair, SettledRecord> = candidates.via(first)
  return pairCalls.reduce((graph, stage) => graph.via(stage), pairs).to(sinkOf(parts, rows))
}

function sinkOf<T>(
  { to, format, rejects, counts, check }: PipeParts,
  rows: RowSinkOptions<T>['rows'],
): OrderedSink<T, SettledRecord> {
  const target = typeof to === 'string' ? checkedFile(to, check) : to
  const options = {
    to: target,
    rows,
    ...(rejects && { rejects }),
    onReleased: (each: ReleasedRecord) => count(each, counts),
  }
  if (format === 'arrow') return arrowSink(options)
  return format === 'parquet' ? parquetSink(options) : jsonlSink(options)
}

/** A file that takes its name only if the check passes. */
function checkedFile(path: string, check: () => void): ByteTarget {
  const file = byteTarget(path)
  return {
    write: (parts) => file.write(parts),
    end: async () => {
      check()
      await file.end()
    },
    discard: () => file.discard(),
  }
}

function count(released: ReleasedRecord, counts: PipeCounts): void {
  const record = recordOf(released)
  if (released.settlement === null) counts.kept++
  else if (record instanceof Rejected) {
    counts.rejected++
    const { chunk, stage, detail } = record.reject
    if (chunk !== null || stage === 'filter' || stage === 'chunk') return
    if (counts.unreadable++ === 0) counts.firstUnreadable = detail
  } else if (released.settlement.stage === 'dedup') counts.duplicates++
  else if (record !== null) counts.rejected++
}
