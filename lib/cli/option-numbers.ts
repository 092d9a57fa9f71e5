/** Parsers of the flags that take a number. Each rejects text that is not one, and numbers out of range. */
import { InvalidArgumentError } from 'commander'
import { say } from '../language/say.js'

/** Returns a parser of whole numbers of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = numberIn(text)
    if (Number.isSafeInteger(value) && value >= least) return value
    throw new InvalidArgumentError(say`must be a whole number of ${least} or more.`)
  }
}

/** Parses a port; 0 stands for a free one. */
export function portNumber(text: string): number {
  const value = numberIn(text)
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value
  throw new InvalidArgumentError(say`must be a port: a whole number from 0 to 65535.`)
}

/** Parses a number over 0. */
export function positiveNumber(text: string): number {
  const value = numberIn(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError(say`must be a number over 0.`)
}

/** Parses a number from 0 to 1. */
export function fraction(text: string): number {
  const value = numberIn(text)
  if (value >= 0 && value <= 1) return value
  throw new InvalidArgumentError(say`must be a number from 0 to 1.`)
}

/** Returns a parser of powers of two from `least` to `most`. */
export function powerOfTwo(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = numberIn(text)
    if (value >= least && value <= most && Number.isInteger(Math.log2(value))) return value
    throw new InvalidArgumentError(say`must be a power of two from ${least} to ${most}.`)
  }
}

/** Returns NaN for blank text, which `Number` reads as 0. */
function numberIn(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}
