/**
 * Drops pairs whose instruction an earlier row of the open cut has. Rows arrive in input order and the window is the cut,
 * so that a run drops the same pairs whatever was in flight, and after a kill.
 */
import type { Settlement } from '../core/item.js'
import { duplicateInstruction, type InstructionIndex } from '../dedup/instruction-index.js'
import { instructionsStage } from '../kun/stage-ranks.js'
import type { Pair } from '../kun/types.js'

export class CutInstructions {
  readonly #index: InstructionIndex
  /** Ids of the rows of the cut, by their number in the index. */
  readonly #ids: string[] = []

  constructor(index: InstructionIndex) {
    this.#index = index
  }

  /** Returns why a pair is dropped; null for a row, whose instruction is then compared with later ones. */
  check({ id, instruction }: Pair): Settlement | null {
    const like = this.#index.add(instruction)
    if (like === null) {
      this.#ids.push(id)
      return null
    }
    const { of, similarity } = like
    const estimate = similarity === null ? '' : ` at similarity ${similarity.toFixed(3)}`
    const detail = `duplicate of ${this.#ids[of]}${estimate}`
    return { kind: 'dropped', stage: instructionsStage, reason: duplicateInstruction, detail, error: null }
  }

  /** Starts the next cut. */
  clear(): void {
    this.#index.clear()
    this.#ids.length = 0
  }
}
