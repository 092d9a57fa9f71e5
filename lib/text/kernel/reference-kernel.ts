/**
 * Reference implementation of the kernel: defines the comparison form, its fingerprint and its signature. Tests compare the
 * kernel with it bit by bit. Runs only use `comparisonForm`, for the rare texts that need String.normalize, and hashes.
 */

const notLetterOrDigit = /[^\p{L}\p{N}]/gu

/**
 * Returns the form in which texts are compared: NFKC, lower case, letters and digits only (Unicode L and N).
 *
 * Lower case does not depend on neighbours (Σ is σ everywhere). Lone surrogates are not letters and are removed.
 */
export function comparisonForm(text: string): string {
  return inLowerCase(text.normalize('NFKC')).replace(notLetterOrDigit, '')
}

/** The same for each line of a text; line ends stay. */
export function comparisonLines(lines: string): string {
  return inLowerCase(lines.normalize('NFKC')).replace(/[^\p{L}\p{N}\n]/gu, '')
}

/** Σ first: the only letter whose lower case depends on its context in String.toLowerCase. */
function inLowerCase(text: string): string {
  return text.replaceAll('Σ', 'σ').toLowerCase()
}

interface ReferenceOptions {
  /** UTF-16 units of a shingle. */
  readonly ngram: number
  /** `sketchKeys` for the length of the signature. */
  readonly keys: Uint32Array
}

/** Does the same as Signer.sign, without tables, tiles, vectors or WebAssembly. */
export function referenceSign(
  text: string,
  options: ReferenceOptions,
  fingerprint: Uint8Array,
  signature: Uint8Array,
): number {
  const form = comparisonForm(text)
  fingerprint.set(murmur128(new Uint8Array(Buffer.from(form, 'utf16le'))))
  referenceMinima(form, options, signature.length).forEach((minimum, k) => {
    signature[k] = byteOfMinimum(minimum)
  })
  return form.length
}

/** Rounds in which shingles are hashed to bins; a bin that is still empty takes the minimum over all shingles. */
const roundsMax = 32
const empty = 0xffffffff

/**
 * Fast similarity sketching (Dahlgaard, Knudsen, Thorup, FOCS 2017) of a comparison form, one minimum per bin; all ones
 * if the form has no shingle. In each round every shingle is hashed to one bin, with another hash function per round, and
 * a bin keeps the least hash of the first round that reaches it. Two sets agree in a bin with the probability of their
 * Jaccard similarity.
 */
function referenceMinima(form: string, { ngram, keys }: ReferenceOptions, bins: number): Uint32Array {
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

/** Returns the byte kept of a minimum. It depends on all bits: the high bits are mostly 0, the low bits those of the shingle. */
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

/** Derives the keys from `seed`: one per round, then one per bin. */
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
