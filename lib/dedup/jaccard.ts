/** Exact Jaccard similarity of the shingle sets of two texts, for pairs whose estimate is too close to the threshold. */
import type { Signer } from '../text/signature.js'

const firstCapacity = 4096
/** The table is at most half full. */
const slotsPerShingle = 2

/**
 * Shingles are identified by 64-bit hashes: with 10,000 in each text the probability of a wrong count is below 1e-11.
 * The table is reused: entries of an earlier generation count as free.
 */
export class ShingleComparer {
  #keys = new Uint32Array(firstCapacity * 2)
  /** generation × 2, or + 1 once the second text has the shingle too. */
  #marks = new Float64Array(firstCapacity)
  #generation = 0
  readonly #signer: Signer

  constructor(signer: Signer) {
    this.#signer = signer
  }

  /** Returns 0 when both texts are too short for a shingle. */
  jaccard(one: string, other: string): number {
    this.#generation++
    // Copied, because the signer overwrites its form at the next call.
    const first = this.#signer.form(one).slice()
    const second = this.#signer.form(other)
    // Before any entry is added, because growing discards them.
    this.#reserve((first.length + second.length) * slotsPerShingle)
    const distinct = this.#add(first)
    const { both, onlyOther } = this.#count(second)
    const union = distinct + onlyOther
    return union === 0 ? 0 : both / union
  }

  #reserve(slots: number): void {
    let capacity = this.#marks.length
    while (capacity < slots) capacity *= 2
    if (capacity === this.#marks.length) return
    this.#keys = new Uint32Array(capacity * 2)
    this.#marks = new Float64Array(capacity)
  }

  #add(form: Uint16Array): number {
    const { ngram } = this.#signer
    let distinct = 0
    for (let at = 0; at + ngram <= form.length; at++) {
      const slot = this.#slot(form, at, ngram)
      if (this.#isTaken(slot)) continue
      this.#marks[slot] = this.#generation * 2
      distinct++
    }
    return distinct
  }

  #count(form: Uint16Array): { both: number; onlyOther: number } {
    const { ngram } = this.#signer
    let [both, onlyOther] = [0, 0]
    for (let at = 0; at + ngram <= form.length; at++) {
      const slot = this.#slot(form, at, ngram)
      const mark = this.#marks[slot] as number
      if (mark === this.#generation * 2) both++
      else if (mark !== this.#generation * 2 + 1) onlyOther++
      this.#marks[slot] = this.#generation * 2 + 1
    }
    return { both, onlyOther }
  }

  #isTaken(slot: number): boolean {
    return (this.#marks[slot] as number) >= this.#generation * 2
  }

  /** Returns the slot of the shingle; writes its key there if the slot was free. */
  #slot(form: Uint16Array, at: number, ngram: number): number {
    let [low, high] = [0, 0x2545f491]
    for (let i = at; i < at + ngram; i++) {
      const unit = form[i] as number
      low = (Math.imul(low, 0x9e3779b1) + unit) | 0
      high = Math.imul(high ^ unit, 0x01000193) ^ (high >>> 15)
    }
    low = finish(low)
    high = finish(high)
    const mask = this.#marks.length - 1
    let slot = (low ^ high) & mask
    while (this.#isTaken(slot)) {
      if (this.#keys[slot * 2] === low && this.#keys[slot * 2 + 1] === high) return slot
      slot = (slot + 1) & mask
    }
    this.#keys[slot * 2] = low
    this.#keys[slot * 2 + 1] = high
    return slot
  }
}

function finish(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
