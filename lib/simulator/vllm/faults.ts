/**
 * Decides which fault a request gets, by rules, header and schedule. The server applies it.
 */

import { hashNumbers, hashText, unit } from '../random.js'
import { type FaultKind, type FaultRule, faultRule, transportFaults } from './fault-rules.js'
import { check } from './options.js'

export interface FaultCounts {
  /** Generation requests so far. */
  readonly requests: number
  readonly byKind: Readonly<Partial<Record<FaultKind, number>>>
}

const transport: ReadonlySet<string> = new Set(transportFaults)

export class Faults {
  #rules: { rule: FaultRule; applied: number; ordinalAtStart: number }[] = []
  #requests = 0
  readonly #byKind: Partial<Record<FaultKind, number>> = {}

  readonly #seed: number

  constructor(seed: number, rules: readonly FaultRule[]) {
    this.#seed = seed
    this.set(rules)
  }

  /** Replaces all rules; `after` and `until` count from now. */
  set(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, applied: 0, ordinalAtStart: this.#requests }))
  }

  list(): FaultRule[] {
    return this.#rules.map(({ rule }) => rule)
  }

  counts(): FaultCounts {
    return { requests: this.#requests, byKind: { ...this.#byKind } }
  }

  /**
   * Returns the fault rule that applies to a generation request, or null. Call it once for each. The header has priority.
   *
   * @throws {InvalidOptionError} the header does not name a fault
   */
  ruleFor(body: string, header: string | undefined): FaultRule | null {
    const ordinal = ++this.#requests
    if (header) return this.#count(check(faultRule, { kind: header }, 'X-Simulate-Error'))
    for (const [place, entry] of this.#rules.entries()) {
      const { rule } = entry
      const since = ordinal - entry.ordinalAtStart
      if (since <= rule.after || since > (rule.until ?? Number.POSITIVE_INFINITY)) continue
      if (rule.times !== undefined && entry.applied >= rule.times) continue
      if (rule.match !== undefined && !body.includes(rule.match)) continue
      if (rule.rate < 1 && unit(this.#draw(rule.kind, place, ordinal, body)) >= rule.rate) continue
      entry.applied++
      return this.#count(rule)
    }
    return null
  }

  #draw(kind: FaultKind, place: number, ordinal: number, body: string): number {
    return transport.has(kind)
      ? hashNumbers(this.#seed, place, ordinal)
      : hashText(body, hashNumbers(this.#seed, place))
  }

  #count(rule: FaultRule): FaultRule {
    this.#byKind[rule.kind] = (this.#byKind[rule.kind] ?? 0) + 1
    return rule
  }
}
