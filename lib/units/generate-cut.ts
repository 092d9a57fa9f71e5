/**
 * Runs the model stages and the sink over the records of one unit, up to the commit of its cut. The caller opens the servers
 * and the writer: a worker commits a result, assembly a line of the manifest.
 */
import type { Credit } from '../core/credit.js'
import { from, type GraphBuilder } from '../core/graph.js'
import { Child, type Outcome, type Stage } from '../core/types.js'
import { InstructionIndex } from '../dedup/instruction-index.js'
import { AbortedError, type KunStreamError, type NoYieldError } from '../errors.js'
import type { RowOptions } from '../kun/row.js'
import type { KunStages } from '../kun/stages.js'
import type { Candidate } from '../kun/types.js'
import { say } from '../language/say.js'
import type { ModelServers } from '../llm/scheduler/model-servers.js'
import { type Accounting, rowsOf } from '../run/accounting.js'
import { BlockLedger } from '../run/block-facts.js'
import type { CutSinkOptions } from '../run/cut-sink.js'
import { tailGraph } from '../run/pipeline.js'
import { RowsLimit } from '../run/record-credit.js'
import type { Rejected, SettledRecord } from '../run/records.js'
import { itemBytes, itemCodec } from '../run/reorder-codec.js'
import type { KunSettings } from '../run/settings.js'
import type { CutWriter, ManifestEntry } from '../sinks/types.js'
import type { FileLayer } from '../storage/files.js'
import { SpillFile } from '../storage/spill-file.js'
import { readUnitFile, type UnitBlock } from './unit-file.js'

/** Bytes in memory for one byte of a unit file's lines: the text, its prompt, the reply and the row. */
const expansionMax = 4

/** Reasons by the ids of records that are dropped. */
export type Decisions = Pick<ReadonlyMap<string, string>, 'get'>

/** What one cut is made with. */
interface CutParts {
  readonly settings: KunSettings
  /** Path of the unit file, whose sha256 was checked. */
  readonly unit: string
  /** Number of its first block. */
  readonly firstBlock: number
  /** Records that a decision drops: reason by id. */
  readonly decided: Decisions
  readonly servers: Pick<ModelServers, 'releaseUpTo'>
  /** With everything around them: drift detection, decontamination. */
  readonly stages: Pick<KunStages, 'chunks' | 'label' | 'pairs'>
  readonly row: RowOptions
  readonly accounting: Accounting
  readonly noYield: CutSinkOptions['noYield']
  readonly writer: CutWriter
  /** Infinity: no limit. */
  readonly rowsMax: number
  readonly blockCredit: Credit
  readonly itemCredit: Credit
  readonly files: FileLayer
  /** Path of the file for finished records that wait for an earlier one. */
  readonly spill: string
}

/**
 * Makes one cut.
 *
 * @param signal ends the work; the cut is then not committed
 * @returns the entry that the writer committed
 */
export async function generateCut(parts: CutParts, signal: AbortSignal): Promise<ManifestEntry> {
  const { settings, accounting, rowsMax, itemCredit, writer, row } = parts
  const facts = new BlockLedger()
  let entry = null as ManifestEntry | null
  let failure = null as KunStreamError | null
  let isOver = false
  let sinkWork: Promise<void> = Promise.resolve()
  const run = tailGraph(recordsOf(parts, facts), facts, {
    chunkStages: parts.stages.chunks,
    label: parts.stages.label,
    pairStages: parts.stages.pairs,
    servers: parts.servers,
    itemCredit,
    reorder: {
      bytesMax: settings.memory.reorderBytesMax,
      sizeBytes: itemBytes,
      spill: new SpillFile(parts.files, parts.spill, itemCodec),
    },
    noYield: parts.noYield,
    onNoYield: (error: NoYieldError) => {
      failure = error
      run.abort(error)
    },
    sink: {
      writer,
      row,
      accounting,
      instructions: await InstructionIndex.openFor(settings.kun.dedupInstructions),
      rowsLimit: new RowsLimit({ rowsMax, variants: settings.kun.label.variants, credit: itemCredit }, accounting.rows),
      working: (work) => {
        sinkWork = work
      },
      afterCommit: async (committed, counters) => {
        entry = committed
        if (rowsOf(counters) >= rowsMax) run.abort(new AbortedError(say`rowsMax is reached`))
      },
      stopping: () => isOver || failure !== null || entry !== null,
    },
  }).run({ signal })
  try {
    await run.done
  } catch (error) {
    isOver = true
    await sinkWork.catch(() => undefined) // it fails with `error`, or because of it
    if (entry === null) throw failure ?? error
  }
  if (entry === null) throw new AbortedError(say`the unit has no block`)
  return entry
}

/** Starts the graph at the records of a unit file. */
function recordsOf(
  { unit, firstBlock, decided, blockCredit }: CutParts,
  facts: BlockLedger,
): GraphBuilder<Candidate, SettledRecord> {
  async function* read(): AsyncGenerator<UnitBlock> {
    for await (const block of readUnitFile(unit)) {
      facts.add(block.number, block.facts)
      yield block
    }
  }
  return from(read(), {
    name: 'read',
    unit: 'block',
    firstOrdinal: firstBlock,
    credit: { from: blockCredit, amount: ({ bytes }) => Math.max(1, bytes * expansionMax) },
  }).via(recordStage(decided))
}

/** Emits the records of a block as dedup did. The stage has the name of that one, which is in rejects. */
function recordStage(decided: Decisions): Stage<UnitBlock, Candidate, Candidate | Rejected> {
  const withDecisions = (record: UnitBlock['records'][number]) => {
    const reason = record instanceof Child ? undefined : decided.get(record.id)
    if (reason === undefined || record instanceof Child) return record
    return new Child(record, { drop: reason, detail: 'decided for the unit' })
  }
  return {
    name: 'dedup',
    unit: 'record',
    process: (blocks) =>
      blocks.map(
        ({ records }): Outcome<Candidate, Candidate | Rejected> =>
          records.length > 0 ? { emit: records.map(withDecisions) } : { drop: 'empty-block' },
      ),
  }
}
