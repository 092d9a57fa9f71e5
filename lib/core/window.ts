/**
 * Restores input order. Items are inserted as they finish and taken as they were read: a leaf is followed by its next
 * sibling, the last sibling by the next sibling of the parent.
 *
 * Example: block 4 was split into two records, the second of them into two pairs. The order is 4.0, 4.1.0, 4.1.1, 5.
 * The number of items is limited by the credit that they took.
 */
import { ContractError } from '../errors.js'
import type { Mark } from './ledger.js'
import type { Position } from './types.js'

/** Items that finished before an earlier one, by position. */
export class Window<T extends { readonly mark: Mark }> {
  /** Items by key. An item that arrives in order is kept in #arrived instead: most do, and need no key. */
  readonly #pending = new Map<string, T>()
  #arrived: T | null = null
  /** Never shared: the common step, to the next sibling, changes it in place. */
  #next: number[]

  /** @param firstOrdinal ordinal of the first root */
  constructor(firstOrdinal: number) {
    this.#next = [firstOrdinal]
  }

  /** Number of items that wait for an earlier one. */
  get size(): number {
    return this.#pending.size + (this.#arrived === null ? 0 : 1)
  }

  /** Returns whether this is the item that `take` waits for. */
  isNext({ position }: Mark): boolean {
    return isSamePosition(position, this.#next)
  }

  /** Passes the next item on without keeping it; returns false if it has to be inserted, as an earlier one is in flight. */
  pass({ mark }: T): boolean {
    if (this.#arrived !== null || !this.isNext(mark)) return false
    this.#advance(mark)
    return true
  }

  insert(item: T): void {
    const { position } = item.mark
    const isNext = this.isNext(item.mark)
    const key = isNext ? '' : keyOf(position)
    if (isNext ? this.#arrived !== null : this.#pending.has(key)) {
      throw new ContractError(`two items are at position ${position.join('.')}`)
    }
    if (isNext) this.#arrived = item
    else this.#pending.set(key, item)
  }

  /** Returns the next item in order; null if it is still in flight. */
  take(): T | null {
    const item = this.#arrived ?? this.#takePending()
    if (item === null) return null
    this.#arrived = null
    this.#advance(item.mark)
    return item
  }

  #advance(taken: Mark): void {
    const { position, isLast } = taken
    const deepest = position.length - 1
    if (!isLast && this.#next.length === position.length) this.#next[deepest] = (position[deepest] as number) + 1
    else this.#next = positionAfter(taken)
  }

  #takePending(): T | null {
    if (this.#pending.size === 0) return null
    const key = keyOf(this.#next)
    const item = this.#pending.get(key)
    if (item === undefined) return null
    this.#pending.delete(key)
    return item
  }
}

/** Returns whether `leaf` is the last leaf of its root. */
export function endsRoot(leaf: Mark): boolean {
  let mark = leaf
  while (mark.parent !== null) {
    if (!mark.isLast) return false
    mark = mark.parent
  }
  return true
}

function positionAfter(leaf: Mark): number[] {
  let mark = leaf
  while (mark.isLast && mark.parent !== null) mark = mark.parent
  const position = mark.position.slice()
  const deepest = position.length - 1
  position[deepest] = (position[deepest] as number) + 1
  return position
}

/** A first child has the position of its parent, followed by 0: trailing zeros are ignored. */
function isSamePosition(a: Position, b: Position): boolean {
  const depth = Math.max(a.length, b.length)
  for (let level = 0; level < depth; level++) if ((a[level] ?? 0) !== (b[level] ?? 0)) return false
  return true
}

/** Equal for positions that differ in trailing zeros only. */
function keyOf(position: readonly number[]): string {
  let depth = position.length
  while (depth > 1 && position[depth - 1] === 0) depth--
  return depth === position.length ? position.join('.') : position.slice(0, depth).join('.')
}
