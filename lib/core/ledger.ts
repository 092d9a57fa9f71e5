/**
 * Tracks which values are still in the graph. Every value that was read has a mark; a mark that is split has children
 * and is settled when all of them are. Credit is returned only here.
 *
 * Invariant, per unit and at every instant: opened = settled + split into children + open.
 */
import { ContractError } from '../errors.js'
import type { Position } from './types.js'

/** Callback once everything below a mark is settled; returns credit, for example. */
type Hold = () => void

/** The identity of a value in a graph: its position, its parent, and its callbacks. */
export class Mark {
  /** Children that are not settled; 0 in a leaf. */
  children = 0
  settled = false
  /** Most marks have none or one. */
  holds: Hold | Hold[] | null = null

  constructor(
    readonly parent: Mark | null,
    readonly position: Position,
    /** Whether no sibling follows. Never true of a root: the number of blocks is not known. */
    readonly isLast: boolean,
    readonly unit: string,
  ) {}
}

/** Number of marks of one unit. At every instant opened = split + settled + open. */
export interface UnitCount {
  opened: number
  split: number
  settled: number
}

/** Opens, splits and settles marks; runs the callbacks of a mark once everything made from its value is settled. */
export class Ledger {
  readonly #units = new Map<string, UnitCount>()
  /** The unit that was counted last, which is that of nearly every next mark too. */
  #lastUnit: string | null = null
  #lastCount: UnitCount = { opened: 0, split: 0, settled: 0 }

  /** Creates the mark of a value from the source. */
  open(ordinal: number, unit: string): Mark {
    this.#count(unit).opened++
    return new Mark(null, [ordinal], false, unit)
  }

  /** Splits a leaf into `count` children of `unit`, in order. */
  split(mark: Mark, count: number, unit: string): Mark[] {
    if (count < 1) throw new ContractError(`a ${mark.unit} was split into ${count} ${unit}s: a drop needs a reason`)
    if (mark.settled || mark.children > 0) throw new ContractError(`${describe(mark)} was split after it was done`)
    mark.children = count
    this.#count(mark.unit).split++
    this.#count(unit).opened += count
    const children: Mark[] = new Array(count)
    const { position } = mark
    const [block] = position
    for (let ordinal = 0; ordinal < count; ordinal++) {
      // Not the spread of the general case: records, the first split, are most of all marks.
      const own = position.length === 1 ? [block as number, ordinal] : [...position, ordinal]
      children[ordinal] = new Mark(mark, own, ordinal === count - 1, unit)
    }
    return children
  }

  /** Calls `release` once everything below `mark` is settled. */
  hold(mark: Mark, release: Hold): void {
    if (mark.settled) throw new ContractError(`${describe(mark)} cannot hold anything: it is settled`)
    if (mark.holds === null) mark.holds = release
    else if (typeof mark.holds === 'function') mark.holds = [mark.holds, release]
    else mark.holds.push(release)
  }

  /** Settles a leaf, and each ancestor whose last open child it was. */
  settle(leaf: Mark): void {
    if (leaf.settled) throw new ContractError(`${describe(leaf)} was settled twice`)
    if (leaf.children > 0) throw new ContractError(`${describe(leaf)} was settled before what it was split into`)
    this.#count(leaf.unit).settled++
    let mark: Mark | null = leaf
    while (mark !== null) {
      mark.settled = true
      const { holds } = mark
      mark.holds = null
      if (typeof holds === 'function') holds()
      else if (holds !== null) for (const release of holds) release()
      const parent: Mark | null = mark.parent
      mark = parent !== null && --parent.children === 0 ? parent : null
    }
  }

  /** Counts by unit: opened, split, settled leaves. */
  units(): ReadonlyMap<string, Readonly<UnitCount>> {
    return this.#units
  }

  /** Number of leaves that are neither settled nor split. */
  inFlight(): number {
    let sum = 0
    for (const count of this.#units.values()) sum += count.opened - count.split - count.settled
    return sum
  }

  #count(unit: string): UnitCount {
    if (unit === this.#lastUnit) return this.#lastCount
    let count = this.#units.get(unit)
    if (count === undefined) {
      count = { opened: 0, split: 0, settled: 0 }
      this.#units.set(unit, count)
    }
    this.#lastUnit = unit
    this.#lastCount = count
    return count
  }
}

function describe(mark: Mark): string {
  return `${mark.unit} ${mark.position.join('.')}`
}
