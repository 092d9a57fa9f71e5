/** Exact Jaccard similarity of the shingle sets of two texts, for pairs whose estimate is too close to the threshold. */
import type { Signer } from '../text/signature.js'
import { KernelRegion, kernelBytesMax, scratchKernel } from './kernel-memory.js'

/** Exports of kernel/assembly/shingles.ts, documented there. */
interface Kernel {
  readonly memory: WebAssembly.Memory
  take(bytes: number): number
  usedPages(): number
  compareShingles(
    ...given: [
      ...[one: number, units: number, other: number, otherUnits: number],
      ...[ngram: number, table: number, slots: number],
    ]
  ): number
  unionOfShingles(): number
}

/** The table is at most half full. */
const slotsPerShingle = 2
const slotsMin = 64

/** Shingles are identified by 63-bit hashes: with 10,000 in each text the probability of a wrong count is below 1e-10. */
export class ShingleComparer {
  readonly #signer: Signer
  readonly #kernel = scratchKernel<Kernel>()
  readonly #one = new KernelRegion(this.#kernel, kernelBytesMax)
  readonly #other = new KernelRegion(this.#kernel, kernelBytesMax)
  readonly #table = new KernelRegion(this.#kernel, kernelBytesMax)

  constructor(signer: Signer) {
    this.#signer = signer
  }

  /** Returns 0 when both texts are too short for a shingle. */
  jaccard(one: string, other: string): number {
    // Each is copied before the signer overwrites it at the next call.
    const first = this.#signer.form(one)
    const units = first.length
    const oneAt = this.#one.set(first)
    const second = this.#signer.form(other)
    const otherUnits = second.length
    const otherAt = this.#other.set(second)
    const slots = 2 ** Math.ceil(Math.log2(Math.max(slotsMin, (units + otherUnits) * slotsPerShingle)))
    const table = this.#table.reserve(slots * 8)
    const { ngram } = this.#signer
    const both = this.#kernel.compareShingles(oneAt, units, otherAt, otherUnits, ngram, table, slots)
    const union = this.#kernel.unionOfShingles()
    return union === 0 ? 0 : both / union
  }
}
