/**
 * What the stand-in Hub does wrong when told to: which request a fault meets, and how often.
 * How each kind looks on the wire is in hub-serve.ts and hub.ts.
 */
import { mulberry32 } from '../random.js'

export type HubFaultKind =
  /** Answers `status`, with `error` and X-Error-Code `errorCode`. */
  | 'status'
  /** 429 with the Hub's RateLimit headers, `waitSeconds` to wait. */
  | 'rate-limit'
  /** The connection is closed before the request is handled. */
  | 'reset'
  /** The request is handled, its effect stays, and the connection is closed before the answer. */
  | 'reset-after'
  /** The body breaks off after `afterBytes`, by default at a random place. */
  | 'cut'
  /** The body ends too early without an error: no Content-Length, cleanly. */
  | 'truncate'
  /** A Range is answered with 200 and the whole file. */
  | 'ignore-range'
  /** Sizes in listings and headers are one too large. */
  | 'wrong-size'
  /** The file has another ETag, as if its content had changed. */
  | 'wrong-etag'
  /** A part of an upload is taken without an ETag. */
  | 'no-etag'
  /** One byte of the body is flipped. */
  | 'corrupt'
  /** No answer until the stand-in is closed. */
  | 'stall'
  /** Somebody else commits to the branch just before this request is handled. */
  | 'move-branch'

export interface HubFault {
  readonly kind: HubFaultKind
  /** A regular expression on `METHOD /path?query`; every request by default. */
  readonly match?: string
  /** Of the requests that match, the first that the fault meets, from 1; 1 by default. */
  readonly from?: number
  /** How many requests it meets; 1 by default, −1 for no end. */
  readonly times?: number
  /** Chance to meet a request, drawn from `seed`; 1 by default. */
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
  met: number
}

export interface MetFault extends HubFault {
  /** 0 … 1, from the fault's seed: where a body is cut, which byte is flipped. */
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
    this.#armed.push({ fault, pattern: new RegExp(fault.match ?? ''), random, seen: 0, met: 0 })
  }

  /** The first fault that meets this request, if any; counts the request for all that match. */
  meet(request: string): MetFault | null {
    let found: MetFault | null = null
    for (const armed of this.#armed) {
      if (!armed.pattern.test(request)) continue
      armed.seen++
      const { from = 1, times = 1, rate = 1 } = armed.fault
      if (found !== null || armed.seen < from || (times >= 0 && armed.met >= times)) continue
      if (rate < 1 && armed.random() >= rate) continue
      armed.met++
      found = { ...armed.fault, place: armed.random() }
    }
    return found
  }
}
