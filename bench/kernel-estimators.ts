/**
 * Three ways to 128 minima from the same shingle hashes, in plain TypeScript with the same care: k permutations;
 * one permutation with optimal densification (Shrivastava, ICML 2017); fast similarity sketching (Dahlgaard, Knudsen,
 * Thorup, FOCS 2017), which goes on in rounds until no bin is empty. What is asked: the error of the estimate around
 * the threshold, by length of text, and the time a shingle.
 */
import { mix } from '../lib/text/kernel/reference-kernel.js'
import { randomFrom } from './dedup-texts.js'
import { median } from './median.js'

const bins = 128
const empty = 0xffffffff
/** Odd, one a permutation. */
const factors = Uint32Array.from({ length: bins }, (_, k) => mix(2 * k + 1) | 1)
const addends = Uint32Array.from({ length: bins }, (_, k) => mix(2 * k + 2))

type Sketch = (hashes: Int32Array, into: Uint32Array) => void

export const sketches: Record<string, Sketch> = {
  '128 permutations': permutations,
  'one permutation, optimal densification': onePermutation,
  'fast similarity sketching': fastSimilarity,
}

function permutations(hashes: Int32Array, into: Uint32Array): void {
  into.fill(empty)
  for (let i = 0; i < hashes.length; i++) {
    const hash = hashes[i] as number
    for (let k = 0; k < bins; k++) {
      const value = (Math.imul(hash, factors[k] as number) + (addends[k] as number)) >>> 0
      if (value < (into[k] as number)) into[k] = value
    }
  }
}

/** The upper 7 bits choose the bin, all 32 are the value. An empty bin borrows from one that a hash of its own chooses. */
function onePermutation(hashes: Int32Array, into: Uint32Array): void {
  into.fill(empty)
  for (let i = 0; i < hashes.length; i++) {
    const value = (hashes[i] as number) >>> 0
    const bin = value >>> 25
    if (value < (into[bin] as number)) into[bin] = value
  }
  const own = into.slice()
  for (let bin = 0; bin < bins; bin++) {
    for (let attempt = 1; into[bin] === empty && attempt < 4096; attempt++) {
      into[bin] = own[mix(Math.imul(bin + 1, 0x9e3779b1) ^ Math.imul(attempt, 0xc2b2ae35)) >>> 25] as number
    }
  }
}

/** Round r throws every shingle into a bin, or in the last 128 rounds into bin r; earlier rounds win. */
function fastSimilarity(hashes: Int32Array, into: Uint32Array): void {
  into.fill(empty)
  if (hashes.length === 0) return
  const filledIn = new Int16Array(bins).fill(-1)
  for (let round = 0, filled = 0; filled < bins && round < bins * 2; round++) {
    for (let i = 0; i < hashes.length; i++) {
      const hash = round === 0 ? (hashes[i] as number) : mix((hashes[i] as number) ^ Math.imul(round, 0x9e3779b1))
      const bin = round < bins ? hash >>> 25 : round - bins
      const at = filledIn[bin] as number
      if (at >= 0 && at < round) continue
      if (at < 0) {
        filledIn[bin] = round
        filled++
      }
      // The round is part of the value: equal values of different rounds are different minima.
      const value = (mix(hash ^ round) >>> 0) % empty
      if (value < (into[bin] as number)) into[bin] = value
    }
  }
}

const pairs = { smoke: 20, full: 2000 }
const shingleCounts = [20, 60, 150, 600]

/** Pairs at Jaccard .8: root mean square error of the estimate, share of it that is within ±.1, time a shingle. */
export function estimatorErrors(size: 'smoke' | 'full') {
  const random = randomFrom(7)
  const rows: { way: string; shingles: number; error: number; nanosecondsPerShingle: number }[] = []
  for (const shingles of shingleCounts) {
    const both = Math.round(shingles * 0.8)
    const hash = () => mix(random(2 ** 32) | 0)
    const sets = Array.from({ length: pairs[size] }, () => {
      const shared = Array.from({ length: both }, hash)
      const rest = Array.from({ length: shingles - both }, hash)
      const half = rest.length >> 1
      return [
        Int32Array.from([...shared, ...rest.slice(0, half)]),
        Int32Array.from([...shared, ...rest.slice(half)]),
      ] as const
    })
    for (const [way, sketch] of Object.entries(sketches)) {
      const [a, b] = [new Uint32Array(bins), new Uint32Array(bins)]
      const errors = sets.map(([one, other]) => {
        sketch(one, a)
        sketch(other, b)
        let equal = 0
        for (let k = 0; k < bins; k++) if (a[k] === b[k]) equal++
        return equal / bins - both / shingles
      })
      const times = Array.from({ length: 5 }, () => timed(sketch, sets, a))
      rows.push({
        way,
        shingles,
        error: Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length),
        nanosecondsPerShingle: (median(times) * 1e6) / sets.reduce((sum, [one]) => sum + one.length, 0),
      })
    }
  }
  return rows
}

function timed(sketch: Sketch, sets: readonly (readonly [Int32Array, Int32Array])[], into: Uint32Array): number {
  const start = process.cpuUsage()
  for (const [one] of sets) sketch(one, into)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
