/** Seeded random numbers: a failing test prints its seed and can be run again. */
import { seededRandom } from '../../lib/core/random.js'

export class Random {
  /** In [0, 1). */
  readonly next: () => number

  constructor(readonly seed: number) {
    this.next = seededRandom(seed)
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }
}

/** Whole numbers below a bound, from a seed. */
export function randomBelow(seed: number): (below: number) => number {
  const next = seededRandom(seed)
  return (below) => Math.floor(next() * below)
}

/** The seed of a test: KUN_SEED, or drawn from the clock. */
export function testSeed(): number {
  return Number(process.env.KUN_SEED ?? Date.now() % 1_000_000)
}
