/**
 * Where a cut ends: at the first block end where the candidates since the last cut reach `candidatesPerCut`, or the
 * blocks reach `blocksPerCutMax`. Known before any reply and from the data alone, so that every run cuts alike.
 */
import { InvalidOptionError } from '../errors.js'

/**
 * Says which blocks end a cut, from the numbers of candidates alone: the same in every run, before any reply.
 */
export class CutPlanner {
  #candidates = 0
  #blocks = 0

  /**
   * @param candidatesPerCut candidates, at least 1
   * @param blocksPerCutMax blocks, at least 1
   */
  constructor(
    readonly candidatesPerCut: number,
    readonly blocksPerCutMax: number,
  ) {
    for (const [name, value] of Object.entries({ candidatesPerCut, blocksPerCutMax })) {
      if (!Number.isSafeInteger(value) || value < 1)
        throw new InvalidOptionError(`${name} must be 1 or more, got ${value}`)
    }
  }

  /** Called once a block, in order. True when the block is the last of its cut. */
  endsCut(candidates: number): boolean {
    this.#candidates += candidates
    this.#blocks++
    if (this.#candidates < this.candidatesPerCut && this.#blocks < this.blocksPerCutMax) return false
    this.#candidates = 0
    this.#blocks = 0
    return true
  }
}
