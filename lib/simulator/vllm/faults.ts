/**
 * Decides which fault a request meets. Rules, header and schedule all end here; carrying a fault out is the server's.
 */

import { hashNumbers, hashText, unit } from '../random.js'
import { type FaultKind, type FaultRule, faultRule, transportFaults } from './fault-rules.js'
import { check } from './options.js'

export interface FaultCounts {
  /** Generation requests judged so far. */
  readonly requests: number
  readonly byKind: Readonly<Partial<Record<FaultKind, number>>>
}

const transport: ReadonlySet<string> = new Set(transportFaults)

export class Faults {
  #rules: { rule: FaultRule; struck: number; ordinalAtStart: number }[] = []
  #requests = 0
  readonly #byKind: Partial<Record<FaultKind, number>> = {}

  readonly #seed: number

  constructor(seed: number, rules: readonly FaultRule[]) {
    this.#seed = seed
    this.set(rules)
  }

  /** Replaces all rules; `after` and `until` count from now. */
  set(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, struck: 0, ordinalAtStart: this.#requests }))
  }

  list(): FaultRule[] {
    return this.#rules.map(({ rule }) => rule)
  }

  counts(): FaultCounts {
    return { requests: this.#requests, byKind: { ...this.#byKind } }
  }

  /**
   * Called once for each generation request: the rule that strikes it, or null. The header comes before all rules.
   *
   * @throws {InvalidOptionError} the header names no fault
   */
  judge(body: string, header: string | undefined): FaultRule | null {
    const ordinal = ++this.#requests
    if (header) return this.#strike(check(faultRule, { kind: header }, 'X-Simulate-Error'))
    for (const [place, entry] of this.#rules.entries()) {
      const { rule } = entry
      const since = ordinal - entry.ordinalAtStart
      if (since <= rule.after || since > (rule.until ?? Number.POSITIVE_INFINITY)) continue
      if (rule.times !== undefined && entry.struck >= rule.times) continue
      if (rule.match !== undefined && !body.includes(rule.match)) continue
      if (rule.rate < 1 && unit(this.#draw(rule.kind, place, ordinal, body)) >= rule.rate) continue
      entry.struck++
      return this.#strike(rule)
    }
    return null
  }

  #draw(kind: FaultKind, place: number, ordinal: number, body: string): number {
    return transport.has(kind)
      ? hashNumbers(this.#seed, place, ordinal)
      : hashText(body, hashNumbers(this.#seed, place))
  }

  #strike(rule: FaultRule): FaultRule {
    this.#byKind[rule.kind] = (this.#byKind[rule.kind] ?? 0) + 1
    return rule
  }
}
