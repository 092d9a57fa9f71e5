/** Parser of `--part 3/8`. */
import { InvalidArgumentError } from 'commander'
import { say } from '../language/say.js'

/** The k-th of n parts, from 1. */
export interface Part {
  readonly number: number
  readonly of: number
}

export function partOption(text: string): Part {
  const [, number = 0, of = 0] = (/^([1-9]\d{0,6})\/([1-9]\d{0,6})$/.exec(text) ?? []).map(Number)
  if (number >= 1 && number <= of) return { number, of }
  throw new InvalidArgumentError(say`--part is ${text}: give the number of the part and of all parts, such as 3/8`)
}
