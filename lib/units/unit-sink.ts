/**
 * The sink of `prepare`: writes the records of each cut into a unit file, and adds the unit to the plan once the file and
 * everything that it depends on are durable.
 */
import { createHash } from 'node:crypto'
import type { OrderedSink } from '../core/sink-node.js'
import type { NoYieldError } from '../errors.js'
import type { Candidate } from '../kun/types.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { BlockFacts, BlockLedger } from '../run/block-facts.js'
import type { NoYieldDetector } from '../run/no-yield.js'
import { blockOf, Rejected, type ReleasedRecord, recordOf, type SettledRecord } from '../run/records.js'
import type { FileLayer } from '../storage/files.js'
import { UnitFileWriter } from './unit-file.js'
import { unitKey, unitsPerPlanFile } from './unit-keys.js'
import { type PlanLine, writePlanFile } from './unit-plan.js'

/** Options for `UnitSink`. */
interface UnitSinkOptions {
  readonly store: ObjectStore
  readonly files: FileLayer
  /** Path of the file that is written before the store has it. */
  readonly temporary: string
  readonly blocks: BlockLedger
  /** Lines of the last plan file; full or not. */
  readonly lines: readonly PlanLine[]
  /** Number of the first cut and of its first block. */
  readonly cut: number
  readonly firstBlock: number
  /** Hash of what determines the rows besides the records. */
  readonly run: string
  /** For records that no model stage will see. */
  readonly noYield: NoYieldDetector
  readonly onNoYield: (error: NoYieldError) => void
  /** Makes durable what a unit depends on: verdicts, the log of duplicates; throws if the lock is lost. */
  readonly beforeCommit: () => Promise<void>
  readonly onUnit: (line: PlanLine) => void
  /** Whether the run is being stopped: the open unit is then dropped. */
  readonly stopping: () => boolean
}

interface OpenUnit {
  readonly writer: UnitFileWriter
  readonly firstBlock: number
  candidates: number
  readonly ended: unknown[]
}

interface EndedBlock {
  readonly number: number
  readonly facts: BlockFacts
}

export class UnitSink implements OrderedSink<Candidate, SettledRecord> {
  readonly name = 'units'
  readonly #options: UnitSinkOptions
  #lines: PlanLine[]
  #cut: number
  #nextBlock: number
  #open: OpenUnit | null = null
  /** The last block that ended. */
  #last: EndedBlock | null = null

  constructor(options: UnitSinkOptions) {
    this.#options = options
    this.#lines = [...options.lines]
    this.#cut = options.cut
    this.#nextBlock = options.firstBlock
  }

  readonly write = async (batch: readonly ReleasedRecord[]): Promise<void> => {
    const { noYield, onNoYield, stopping, blocks } = this.#options
    for (const released of batch) {
      if (stopping()) return
      const error = noYield.released(released)
      if (error !== null) return onNoYield(error)
      const open = this.#opened()
      open.writer.add(released)
      if (isCandidate(released)) open.candidates++
      if (!released.endsOrigin) continue
      const number = blockOf(released)
      const facts = blocks.take(number)
      for (const each of facts.reads.ended) open.ended.push(each)
      await open.writer.endBlock(number, facts)
      this.#last = { number, facts }
      this.#nextBlock = number + 1
      if (facts.endsCut) await this.#commit(open)
    }
  }

  readonly end = async (): Promise<void> => {
    if (this.#open !== null && !this.#options.stopping()) await this.#commit(this.#open)
  }

  readonly close = async (): Promise<void> => {
    await this.#open?.writer.abandon()
    await this.#options.files.remove(this.#options.temporary)
  }

  #opened(): OpenUnit {
    if (this.#open === null) {
      const firstBlock = this.#nextBlock
      const writer = new UnitFileWriter(this.#options.temporary, { cut: this.#cut, firstBlock })
      this.#open = { writer, firstBlock, candidates: 0, ended: [] }
    }
    return this.#open
  }

  async #commit({ writer, firstBlock, candidates, ended }: OpenUnit): Promise<void> {
    const { store, temporary, run, beforeCommit, onUnit } = this.#options
    const last = this.#last as EndedBlock
    const { cursor, reads, dedupLogBytes } = last.facts
    const cut = this.#cut
    const { bytes, sha256, content } = await writer.end()
    this.#open = null
    await store.putFile(unitKey(cut), temporary)
    await beforeCommit()
    const line: PlanLine = {
      ...{ cut, id: unitId(cut, run, content), candidates, bytes, sha256, content, firstBlock },
      ...{ blocks: last.number + 1, cursor, inputs: { ended, open: [...reads.open] }, dedupLogBytes },
    }
    this.#lines = this.#lines.length < unitsPerPlanFile ? [...this.#lines, line] : [line]
    await writePlanFile(store, this.#lines)
    this.#cut++
    onUnit(line)
  }
}

function isCandidate(released: ReleasedRecord): boolean {
  const record = released.settlement === null ? recordOf(released) : null
  return record !== null && !(record instanceof Rejected)
}

function unitId(cut: number, run: string, content: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([run, cut, content]))
    .digest('hex')
  return `${String(cut).padStart(6, '0')}-${hash.slice(0, 20)}`
}
