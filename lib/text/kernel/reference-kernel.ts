/**
 * What the kernel computes, said plainly: the definition of the comparison form, its fingerprint and its signature.
 * Tests hold the kernel to it bit by bit; nothing in a run calls it except `comparisonForm`, for the rare texts
 * that need String.normalize.
 */

const notLetterOrDigit = /[^\p{L}\p{N}]/gu

/**
 * The form in which texts are compared: NFKC, lower case, letters and digits only (Unicode L and N).
 *
 * A letter's lower case does not depend on its neighbours (Σ is σ everywhere). A lone surrogate is no letter and goes.
 */
export function comparisonForm(text: string): string {
  // Σ goes first: it is the one letter whose lower case String.toLowerCase takes from the context.
  return text.normalize('NFKC').replaceAll('Σ', 'σ').toLowerCase().replace(notLetterOrDigit, '')
}

export interface TwinOptions {
  /** UTF-16 units of a shingle. */
  readonly ngram: number
  /** `sketchKeys` of as many minima as the signature has. */
  readonly keys: Uint32Array
}

/** Same as Signer.sign, without tables, tiles, vectors or WebAssembly. */
export function signTwin(text: string, options: TwinOptions, fingerprint: Uint8Array, signature: Uint8Array): number {
  const form = comparisonForm(text)
  fingerprint.set(murmur128(new Uint8Array(Buffer.from(form, 'utf16le'))))
  minimaTwin(form, options, signature.length).forEach((minimum, k) => {
    signature[k] = byteOfMinimum(minimum)
  })
  return form.length
}

/** Rounds in which shingles are thrown into bins; a bin that is still empty then takes a minimum over all shingles. */
const roundsMax = 32
const empty = 0xffffffff

/**
 * Fast similarity sketching (Dahlgaard, Knudsen, Thorup, FOCS 2017) of a comparison form, one minimum a bin; all ones
 * where it has no shingle. Round after round every shingle falls into one bin, by a hash of its own for each round, and a
 * bin keeps the least hash of the first round that reaches it: two sets agree in a bin with the probability of their
 * Jaccard similarity, and no shingle stands for many bins while others stand for none.
 */
function minimaTwin(form: string, { ngram, keys }: TwinOptions, bins: number): Uint32Array {
  const minima = new Uint32Array(bins).fill(empty)
  const shingles = Array.from({ length: Math.max(0, form.length - ngram + 1) }, (_, at) => {
    let hash = 0
    for (let j = 0; j < ngram; j++) hash = (Math.imul(hash, 0x9e3779b1) + form.charCodeAt(at + j)) | 0
    return hash
  })
  for (let round = 0; round < roundsMax && minima.includes(empty); round++) {
    const open = minima.map((minimum) => (minimum === empty ? 1 : 0))
    for (const shingle of shingles) {
      const value = mix(shingle ^ (keys[round] as number)) >>> 0
      const bin = Math.floor((value * bins) / 2 ** 32)
      if (open[bin] === 1) minima[bin] = Math.min(minima[bin] as number, value)
    }
  }
  return minima.map((minimum, bin) => {
    if (minimum !== empty) return minimum
    const key = keys[roundsMax + bin] as number
    return shingles.reduce((least, shingle) => Math.min(least, mix(shingle ^ key) >>> 0), empty)
  })
}

/** The byte kept of a minimum: of all its bits, for its high bits are mostly 0 and its low bits those of the shingle. */
function byteOfMinimum(minimum: number): number {
  return Math.imul(minimum ^ (minimum >>> 16), 0x85ebca6b) >>> 24
}

/** Murmur's 32-bit finaliser: every bit of the input reaches every bit of the output; 0 stays 0. */
export function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** Keys drawn from `seed`: one a round, then one a bin. They make a signature the same everywhere. */
export function sketchKeys(bins: number, seed: number): Uint32Array {
  let state = seed >>> 0
  return Uint32Array.from({ length: roundsMax + bins }, () => {
    state = (state + 0x9e3779b9) >>> 0
    return mix(state)
  })
}

/** MurmurHash3 x86 128 (Austin Appleby, public domain), 16 bytes, little endian. */
export function murmur128(bytes: Uint8Array, seed = 0): Uint8Array {
  const padded = new Uint8Array((bytes.length + 15) & ~15)
  padded.set(bytes)
  const words = new DataView(padded.buffer)
  let h1 = seed | 0
  let h2 = h1
  let h3 = h1
  let h4 = h1
  for (let at = 0; at < padded.length; at += 16) {
    const whole = at + 16 <= bytes.length
    h1 ^= scramble(words.getUint32(at, true), 0x239b961b, 15, 0xab0e9789)
    if (whole) h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0
    h2 ^= scramble(words.getUint32(at + 4, true), 0xab0e9789, 16, 0x38b34ae5)
    if (whole) h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0
    h3 ^= scramble(words.getUint32(at + 8, true), 0x38b34ae5, 17, 0xa1e38b93)
    if (whole) h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0
    h4 ^= scramble(words.getUint32(at + 12, true), 0xa1e38b93, 18, 0x239b961b)
    if (whole) h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0
  }
  h1 ^= bytes.length
  h2 ^= bytes.length
  h3 ^= bytes.length
  h4 ^= bytes.length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = mix((h2 + h1) | 0)
  h3 = mix((h3 + h1) | 0)
  h4 = mix((h4 + h1) | 0)
  h1 = mix(h1)
  h1 = (h1 + h2 + h3 + h4) | 0
  const hash = new Uint8Array(16)
  const out = new DataView(hash.buffer)
  for (const [at, value] of [h1, h2 + h1, h3 + h1, h4 + h1].entries()) out.setInt32(at * 4, value | 0, true)
  return hash
}

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), bits), second)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
