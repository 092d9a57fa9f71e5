/**
 * Groups rows whose texts are alike, by their MinHash signatures, in memory and time that are linear in the rows.
 *
 * Leader clustering (J. A. Hartigan, Clustering Algorithms, 1975, ch. 3): rows are taken in order of preference; a row
 * joins the cluster of an earlier leader that is like it, else it leads a cluster of its own. So no row is in a cluster
 * only because of a chain of others in between, and the leader is the row that is preferred. Leaders are looked for
 * among rows with an equal band of their signatures (A. Z. Broder, On the resemblance and containment of documents,
 * 1997; J. Leskovec et al., Mining of Massive Datasets, ch. 3.4), and compared by the estimated Jaccard similarity.
 */
import { estimate } from '../dedup/banding.js'

/** Bytes of a signature. The standard error of an estimate is at most 1/16. */
export const signatureBytes = 64
/** Characters of a shingle. Instructions are short: longer ones would leave few that two of them share. */
export const shingleChars = 3
/** Estimated Jaccard similarity of the shingles from which on two texts are alike. */
const alikeFrom = 0.5

/** Of pairs with a similarity of 0.5, 94 % share one of 21 bands of 3 bytes; with 0.7 all but 1 in 5,000. */
const bandBytes = 3
const bands = Math.floor(signatureBytes / bandBytes)
/** Rows with an equal band that a row is compared with. It bounds the work where very many rows share one. */
const comparedMax = 16

interface Signatures {
  /** `signatureBytes` for each row. */
  readonly bytes: Uint8Array
  /** Whether a row's signature has a meaning: 0 for texts shorter than a shingle. */
  readonly valid: Uint8Array
}

/**
 * Returns for each row in `order` the place in `order` of its leader, which is its own place if it leads a cluster.
 *
 * @param order rows, the preferred ones first
 */
export function leadersOf({ bytes, valid }: Signatures, order: Uint32Array): Uint32Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / wordBytes)
  const alike = (place: number, other: number): boolean =>
    areAlike(words, order[place] as number, order[other] as number)
  /** For each place the first place that is alike, among those compared; its own if there is none. */
  const first = order.map((_, place) => place)
  const compared: number[] = []
  for (let band = 0; band < bands; band++) {
    const keys = bandKeys(bytes, order, band)
    const sorted = sortedByKey(keys)
    let key = -1
    for (const place of sorted) {
      if (valid[order[place] as number] === 0) continue
      if (keys[place] !== key) compared.length = 0
      key = keys[place] as number
      let found = 0
      while (found < compared.length && !alike(place, compared[found] as number)) found++
      if (found < compared.length) first[place] = Math.min(first[place] as number, compared[found] as number)
      else if (found < comparedMax) compared.push(place)
    }
  }
  for (let place = 0; place < first.length; place++) {
    const found = first[place] as number
    if (found === place) continue
    // `found` is earlier, so its leader is known.
    const leader = first[found] as number
    first[place] = leader === found || alike(place, leader) ? leader : place
  }
  return first
}

const wordBytes = 4
const signatureWords = signatureBytes / wordBytes

/** Whether two rows share enough bytes. Compares four at a time, and stops once the rest cannot suffice. */
function areAlike(words: Uint32Array, row: number, other: number): boolean {
  let missing = equalMin
  for (let at = 0; at < signatureWords; at++) {
    const different = (words[row * signatureWords + at] as number) ^ (words[other * signatureWords + at] as number)
    // The high bit of each byte that is 0 in `different`.
    const equal = ~(((different & 0x7f7f7f7f) + 0x7f7f7f7f) | different) & 0x80808080
    missing -= Math.imul(equal >>> 7, 0x01010101) >>> 24
    if (missing > (signatureWords - 1 - at) * wordBytes) return false
  }
  return missing <= 0
}

/** Equal bytes from which on the estimate reaches `alikeFrom`. */
const equalMin = Array.from({ length: signatureBytes }, (_, equal) => equal).findIndex(
  (equal) => estimate(equal, signatureBytes) >= alikeFrom,
)

function bandKeys(bytes: Uint8Array, order: Uint32Array, band: number): Uint32Array {
  return order.map((row) => {
    const at = row * signatureBytes + band * bandBytes
    return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  })
}

/** Half of the bits of a key. */
const digitBits = 12

/** Returns the indexes of the keys, sorted by key; equal keys in the order of their indexes. Keys have 24 bits. */
function sortedByKey(keys: Uint32Array): Uint32Array {
  let from = keys.map((_, index) => index)
  let to = new Uint32Array(keys.length)
  for (const shift of [0, digitBits]) {
    const starts = new Uint32Array((1 << digitBits) + 1)
    const digitOf = (index: number): number => ((keys[index] as number) >>> shift) & ((1 << digitBits) - 1)
    for (const index of from) (starts[digitOf(index) + 1] as number)++
    for (let digit = 1; digit < starts.length; digit++)
      starts[digit] = (starts[digit] as number) + (starts[digit - 1] as number)
    for (const index of from) {
      const digit = digitOf(index)
      to[starts[digit] as number] = index
      starts[digit] = (starts[digit] as number) + 1
    }
    ;[from, to] = [to, from]
  }
  return from
}
