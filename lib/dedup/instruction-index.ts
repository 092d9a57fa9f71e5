/**
 * Finds instructions that are equal or alike among those before: equal in their comparison form, or with an estimated
 * Jaccard similarity of 3-grams from `instructionSimilarityMin` on. In memory; the result depends on the order alone.
 */
import { growArray } from '../text/grow-array.js'
import { createSigner, type Signer } from '../text/signature.js'
import { bandHash, estimate } from './banding.js'

/** Characters of a shingle: instructions are short, and longer ones would leave few that two of them share. */
const shingleChars = 3
/** Bytes of a signature. The standard error of an estimate at the bound is 0.035. */
const signatureBytes = 128
const fingerprintBytes = 16
/** Reason of a reject. */
export const duplicateInstruction = 'duplicate-instruction'
/** Similarity from which on two instructions ask the same. */
const instructionSimilarityMin = 0.8
/** Of pairs with a similarity of 0.8, 99.8 % share one of 21 bands of 6 bytes. */
const bandBytes = 6
const bands = Math.floor(signatureBytes / bandBytes)
/** Instructions with an equal band that one is compared with, the latest first. It bounds the work where very many share one. */
const comparedMax = 64

/** An earlier instruction that is equal or alike. */
interface LikeInstruction {
  /** Number of the earlier one: the calls of `add` that returned null, from 0. */
  readonly of: number
  /** Estimated similarity; null if both are equal. */
  readonly similarity: number | null
}

/** An index of instructions, about 600 bytes each. */
export class InstructionIndex {
  readonly #signer: Signer
  readonly #near: boolean
  #count = 0
  #signatures = new Uint8Array(64 * signatureBytes)
  #fingerprints = new Uint8Array(64 * fingerprintBytes)
  readonly #exact = new Chains(1)
  readonly #bands = new Chains(bands)
  readonly #fingerprint = new Uint8Array(fingerprintBytes)
  readonly #signature = new Uint8Array(signatureBytes)

  private constructor(signer: Signer, near: boolean) {
    this.#signer = signer
    this.#near = near
  }

  /** @returns null for 'off' */
  static async openFor(action: 'off' | 'exact' | 'near'): Promise<InstructionIndex | null> {
    return action === 'off' ? null : InstructionIndex.open(action === 'near')
  }

  /** @param near whether instructions that are alike are found too */
  static async open(near: boolean): Promise<InstructionIndex> {
    return new InstructionIndex(await createSigner({ ngram: shingleChars, signatureLength: signatureBytes }), near)
  }

  /** Returns the earlier instruction that is equal or most alike; null if there is none, and the instruction is added. */
  add(instruction: string): LikeInstruction | null {
    const letters = this.#signer.sign(instruction, this.#fingerprint, this.#signature)
    const equal = this.#equal()
    if (equal >= 0) return { of: equal, similarity: null }
    const near = this.#near && letters >= shingleChars
    const like = near ? this.#like() : null
    if (like !== null) return like
    this.#insert(near)
    return null
  }

  /** Forgets all instructions. */
  clear(): void {
    this.#count = 0
    this.#exact.clear()
    this.#bands.clear()
  }

  #equal(): number {
    for (let each = this.#exact.first(this.#exactKey()); each >= 0; each = this.#exact.next(each, 0)) {
      const at = each * fingerprintBytes
      if (this.#fingerprint.every((byte, index) => byte === this.#fingerprints[at + index])) return each
    }
    return -1
  }

  #like(): LikeInstruction | null {
    let best: { of: number; similarity: number } | null = null
    for (let band = 0; band < bands; band++) {
      let compared = 0
      let each = this.#bands.first(this.#bandKey(band))
      for (; each >= 0 && compared < comparedMax; each = this.#bands.next(each, band), compared++) {
        const similarity = this.#similarity(each)
        if (similarity < instructionSimilarityMin) continue
        const better =
          best === null || similarity > best.similarity || (similarity === best.similarity && each < best.of)
        if (better) best = { of: each, similarity }
      }
    }
    return best
  }

  #similarity(other: number): number {
    let equal = 0
    const at = other * signatureBytes
    for (let index = 0; index < signatureBytes; index++) {
      if (this.#signature[index] === this.#signatures[at + index]) equal++
    }
    return estimate(equal, signatureBytes)
  }

  #insert(near: boolean): void {
    const number = this.#count++
    if ((number + 1) * signatureBytes > this.#signatures.length) {
      this.#signatures = growArray(this.#signatures, 2 * this.#signatures.length)
      this.#fingerprints = growArray(this.#fingerprints, 2 * this.#fingerprints.length)
    }
    this.#signatures.set(this.#signature, number * signatureBytes)
    this.#fingerprints.set(this.#fingerprint, number * fingerprintBytes)
    this.#exact.add(number, [this.#exactKey()])
    this.#bands.add(number, near ? Array.from({ length: bands }, (_, band) => this.#bandKey(band)) : [])
  }

  #exactKey(): number {
    return bandHash(this.#fingerprint, 0, fingerprintBytes) | 0
  }

  #bandKey(band: number): number {
    return (bandHash(this.#signature, band * bandBytes, bandBytes) + Math.imul(band, 0x9e3779b1)) | 0
  }
}

/** For each key the numbers that were added with it, the latest first; up to `width` keys for each number. */
class Chains {
  readonly #width: number
  /** Open-addressing table: keys, and the latest number + 1; 0 is free. */
  #keys = new Int32Array(tableMin)
  #heads = new Int32Array(tableMin)
  #used = 0
  /** The number before each number, by its keys. */
  #nexts = new Int32Array(tableMin)

  constructor(width: number) {
    this.#width = width
  }

  add(number: number, keys: readonly number[]): void {
    const last = (number + 1) * this.#width
    if (last > this.#nexts.length) this.#nexts = growArray(this.#nexts, 2 * last)
    keys.forEach((key, which) => {
      if (2 * (this.#used + 1) > this.#heads.length) this.#grow()
      const slot = this.#slot(key)
      const head = this.#heads[slot] as number
      if (head === 0) this.#used++
      this.#nexts[number * this.#width + which] = head - 1
      this.#keys[slot] = key
      this.#heads[slot] = number + 1
    })
  }

  /** Returns the latest number with a key; -1 if there is none. */
  first(key: number): number {
    return (this.#heads[this.#slot(key)] as number) - 1
  }

  /** Returns the number before, which is less; -1 if there is none. @param which place of the key among those of the number */
  next(number: number, which: number): number {
    return this.#nexts[number * this.#width + which] as number
  }

  clear(): void {
    this.#heads.fill(0)
    this.#used = 0
  }

  #slot(key: number): number {
    const mask = this.#heads.length - 1
    let slot = key & mask
    while (this.#heads[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const [keys, heads] = [this.#keys, this.#heads]
    this.#keys = new Int32Array(2 * keys.length)
    this.#heads = new Int32Array(2 * heads.length)
    for (let slot = 0; slot < heads.length; slot++) {
      if (heads[slot] === 0) continue
      const moved = this.#slot(keys[slot] as number)
      this.#keys[moved] = keys[slot] as number
      this.#heads[moved] = heads[slot] as number
    }
  }
}

/** Slots of the first tables; a power of two. */
const tableMin = 1024
