/** Decides nothing: takes the verdicts on a block from elsewhere, and encodes what both logs get. Holds no index. */
import { frameHeadBytes } from '../storage/frames.js'
import { textLengthAt } from '../text/columns.js'
import type { DecidedBlock } from './block-decider.js'
import { LocalFrames } from './block-frames.js'
import { type BlockToDecide, type DecideColumns, isStored } from './block-rows.js'
import type { Decider } from './decider.js'
import { keptHead } from './kept-frames.js'
import type { DecidePlan, LogLengths } from './plan.js'
import type { Duplicate } from './types.js'

/** Returns the verdict on each row of a block. Called in input order. */
export type VerdictsOf = (
  block: number,
  columns: Pick<DecideColumns, 'rows' | 'fingerprint'>,
) => Promise<readonly (Duplicate | null)[]>

export class VerdictDecider implements Decider {
  readonly #plan: DecidePlan
  readonly #verdictsOf: VerdictsOf
  readonly #frames: LocalFrames
  #documents = 0
  #textsBytes = 0
  /** Settles when the blocks so far are decided. */
  #done: Promise<unknown> = Promise.resolve()

  constructor(plan: DecidePlan, verdictsOf: VerdictsOf) {
    this.#plan = plan
    this.#verdictsOf = verdictsOf
    this.#frames = new LocalFrames(plan)
  }

  get figures(): Decider['figures'] {
    return { documents: this.#documents, memoryBytes: 0 }
  }

  restore(payload: Uint8Array): void {
    this.#documents += keptHead(payload).rows
  }

  async begin(lengths: LogLengths): Promise<void> {
    this.#textsBytes = lengths.textsBytes
    this.#frames.begin(lengths)
  }

  decide(block: BlockToDecide, written: LogLengths): Promise<DecidedBlock> {
    const decided = this.#done.then(() => {
      this.#frames.written(written)
      return this.#decide(block)
    })
    this.#done = decided // a failure is that of all later blocks
    return decided
  }

  async close(): Promise<void> {
    // holds nothing open
  }

  async #decide(block: BlockToDecide): Promise<DecidedBlock> {
    const { number, columns } = block
    const verdicts = await this.#verdictsOf(number, columns)
    const ids = this.#frames.ids(block)
    const rows: number[] = []
    const textOffsets: number[] = []
    for (let i = 0; i < columns.rows; i++) {
      if (verdicts[i] !== null) continue
      const stored = isStored(this.#plan, columns, i)
      rows.push(i)
      textOffsets.push(stored ? this.#textsBytes : -1)
      if (stored) this.#textsBytes += frameHeadBytes + textLengthAt(columns.text, i)
    }
    this.#documents += rows.length
    const encoded = this.#frames.encode(block, ids, { rows, textOffsets, endBytes: this.#textsBytes })
    return { ...encoded, verdicts, figures: this.figures }
  }
}
