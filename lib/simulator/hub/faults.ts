/**
 * Faults of the simulated Hub: which requests get which fault. server.ts, exchange.ts and api.ts apply them.
 */
import { mulberry32 } from '../random.js'

export type HubFaultKind =
  /** Responds with `status`, `error` and X-Error-Code `errorCode`. */
  | 'status'
  /** 429 with the Hub's RateLimit headers, `waitSeconds` to wait. */
  | 'rate-limit'
  /** The connection is closed before the request is handled. */
  | 'reset'
  /** The request is handled, and the connection is closed before the response. */
  | 'reset-after'
  /** The body is cut off after `afterBytes`, by default at a random place. */
  | 'cut'
  /** The body ends early without an error: there is no Content-Length. */
  | 'truncate'
  /** The response to a Range is 200 and the whole file. */
  | 'ignore-range'
  /** Sizes in listings and headers are one too large. */
  | 'wrong-size'
  /** The file has another ETag, as if its content had changed. */
  | 'wrong-etag'
  /** A part of an upload is accepted without an ETag. */
  | 'no-etag'
  /** One byte of the body is flipped. */
  | 'corrupt'
  /** No response until the server is closed. */
  | 'stall'
  /** Another commit is made on the branch before this request is handled. */
  | 'move-branch'

export interface HubFault {
  readonly kind: HubFaultKind
  /** A regular expression on `METHOD /path?query`; every request by default. */
  readonly match?: string
  /** Number of the first matching request that gets the fault, from 1; 1 by default. */
  readonly from?: number
  /** How many requests get it; 1 by default, −1 for all. */
  readonly times?: number
  /** Probability for each request, drawn from `seed`; 1 by default. */
  readonly rate?: number
  readonly seed?: number
  readonly status?: number
  readonly error?: string
  readonly errorCode?: string
  readonly waitSeconds?: number
  readonly afterBytes?: number
}

interface Armed {
  readonly fault: HubFault
  readonly pattern: RegExp
  readonly random: () => number
  seen: number
  applied: number
}

/** A fault as applied to one request. */
export interface AppliedFault extends HubFault {
  /** 0 to 1, from the fault's seed: where a body is cut, which byte is flipped. */
  readonly place: number
}

export class HubFaults {
  #armed: Armed[] = []

  set(faults: readonly HubFault[]): void {
    this.#armed = []
    for (const fault of faults) this.add(fault)
  }

  add(fault: HubFault): void {
    const random = mulberry32(fault.seed ?? 1)
    this.#armed.push({ fault, pattern: new RegExp(fault.match ?? ''), random, seen: 0, applied: 0 })
  }

  /** Returns the first fault for this request, if any; counts the request for all that match. */
  faultFor(request: string): AppliedFault | null {
    let found: AppliedFault | null = null
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
