/** Which requests of a simulated HTTP service get which fault: by a pattern, a number, a count and a probability. */
import { mulberry32 } from './random.js'

/** What a fault of any service has. */
export interface MatchedFault {
  /** A regular expression on `METHOD /path?query`; every request by default. */
  readonly match?: string
  /** Number of the first matching request that gets the fault, from 1; 1 by default. */
  readonly from?: number
  /** How many requests get it; 1 by default, −1 for all. */
  readonly times?: number
  /** Probability for each request, drawn from `seed`; 1 by default. */
  readonly rate?: number
  readonly seed?: number
}

/** A fault as applied to one request. */
export type Applied<Fault> = Fault & {
  /** 0 to 1, from the fault's seed: where a body is cut, which byte is flipped. */
  readonly place: number
}

interface Armed<Fault> {
  readonly fault: Fault
  readonly pattern: RegExp
  readonly random: () => number
  seen: number
  applied: number
}

export class MatchedFaults<Fault extends MatchedFault> {
  #armed: Armed<Fault>[] = []

  set(faults: readonly Fault[]): void {
    this.#armed = []
    for (const fault of faults) this.add(fault)
  }

  add(fault: Fault): void {
    const random = mulberry32(fault.seed ?? 1)
    this.#armed.push({ fault, pattern: new RegExp(fault.match ?? ''), random, seen: 0, applied: 0 })
  }

  /** Returns the first fault for this request, if any; counts the request for all that match. */
  faultFor(request: string): Applied<Fault> | null {
    let found: Applied<Fault> | null = null
    for (const armed of this.#armed) {
      if (!armed.pattern.test(request)) continue
      armed.seen++
      const { from = 1, times = 1, rate = 1 } = armed.fault
      if (found !== null || armed.seen < from || (times >= 0 && armed.applied >= times)) continue
      if (rate < 1 && armed.random() >= rate) continue
      armed.applied++
      found = { ...armed.fault, place: armed.random() }
    }
    return found
  }
}
