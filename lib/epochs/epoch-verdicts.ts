/** The verdicts of all epochs, by block: for the process that reads the input again to write the units. */
import type { VerdictsOf } from '../dedup/verdict-decider.js'
import { ContractError, CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { Epoch, EpochObjects, MappedBlock, SliceVerdicts } from './epoch-objects.js'
import { mappedBlock } from './slice.js'

/** Memory: an epoch's plan and the verdicts of a slice. Reads each object once if blocks are asked for in ascending order. */
export class EpochVerdicts {
  readonly #objects: EpochObjects
  #epoch: Epoch | null = null
  /** Index in the epoch of the loaded slice, number of its first block, and its verdicts. */
  #slice = 0
  #firstBlock = 0
  #verdicts: SliceVerdicts | null = null

  constructor(objects: EpochObjects) {
    this.#objects = objects
  }

  /** Returns the verdict on each row of a block. @throws {CorruptFileError} the block had other rows when it was mapped */
  readonly of: VerdictsOf = async (block, columns) => {
    const blocks = await this.#seek(block)
    const at = block - this.#firstBlock
    const [rows, crc] = mappedBlock(columns)
    if (blocks[at]?.[0] !== rows || blocks[at]?.[1] !== crc) {
      throw new CorruptFileError(
        say`block ${block} has other chunks than when it was mapped: the input has changed. Prepare in another directory`,
      )
    }
    const first = blocks.slice(0, at).reduce((sum, [each]) => sum + each, 0)
    const dropped = this.#verdicts?.dropped
    return Array.from({ length: rows }, (_, row) => dropped?.get(first + row) ?? null)
  }

  /** Loads the slice with a block; returns its blocks. */
  async #seek(block: number): Promise<readonly MappedBlock[]> {
    if (block < this.#firstBlock) await this.#load(0)
    for (;;) {
      const epoch = this.#epoch ?? (await this.#load(0))
      const blocks = epoch.slices[this.#slice]
      if (blocks === undefined) {
        await this.#load(epoch.epoch + 1)
      } else if (block >= this.#firstBlock + blocks.length) {
        this.#firstBlock += blocks.length
        this.#slice++
        this.#verdicts = null
      } else {
        this.#verdicts ??= await this.#objects.verdicts(epoch.firstSlice + this.#slice)
        if (this.#verdicts === null) throw new ContractError(`block ${block} has no verdicts`)
        return blocks
      }
    }
  }

  async #load(number: number): Promise<Epoch> {
    const epoch = await this.#objects.epoch(number)
    if (epoch === null)
      throw new CorruptFileError(
        say`the input has more blocks than were mapped: it has changed. Prepare in another directory`,
      )
    this.#epoch = epoch
    this.#slice = 0
    this.#firstBlock = epoch.firstBlock
    this.#verdicts = null
    return epoch
  }
}
