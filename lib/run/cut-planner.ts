/**
 * Decides where a cut ends: after the first block at which the candidates since the last cut reach `candidatesPerCut`,
 * or the blocks reach `blocksPerCutMax`. The data alone decides, before any reply, so every run has the same cuts.
 */
import { InvalidOptionError } from '../errors.js'
import { say } from '../language/say.js'

export class CutPlanner {
  readonly #candidatesPerCut: number
  readonly #blocksPerCutMax: number
  #candidates = 0
  #blocks = 0

  /**
   * @param candidatesPerCut candidates, at least 1
   * @param blocksPerCutMax blocks, at least 1
   */
  constructor(candidatesPerCut: number, blocksPerCutMax: number) {
    for (const [name, value] of Object.entries({ candidatesPerCut, blocksPerCutMax })) {
      if (!Number.isSafeInteger(value) || value < 1)
        throw new InvalidOptionError(say`${name} must be 1 or more, got ${value}`)
    }
    this.#candidatesPerCut = candidatesPerCut
    this.#blocksPerCutMax = blocksPerCutMax
  }

  /** Returns whether the block is the last of its cut. Call it once for each block, in order. */
  endsCut(candidates: number): boolean {
    this.#candidates += candidates
    this.#blocks++
    if (this.#candidates < this.#candidatesPerCut && this.#blocks < this.#blocksPerCutMax) return false
    this.#candidates = 0
    this.#blocks = 0
    return true
  }
}
