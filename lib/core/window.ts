/**
 * Restores the input's order. Items come in as they finish and go out as they were read: after a leaf follows its next
 * sibling, after the last sibling the parent's next one.
 *
 * Example: block 4 was split in two records, the second of those in two pairs. The order is 4.0, 4.1.0, 4.1.1, 5.
 * The window itself has no limit: what it can hold is bounded by the credit that its items took.
 */
import { ContractError } from '../errors.js'
import type { Mark } from './ledger.js'
import type { Position } from './types.js'

/**
 * Items that came too early, by position. `insert` takes them as they finish, `take` gives them as they were read.
 */
export class Window<T extends { readonly mark: Mark }> {
  /** Items by key. One that came as the next is in #arrived instead: most do, and need no key. */
  readonly #pending = new Map<string, T>()
  #arrived: T | null = null
  #next: Position

  /** @param firstOrdinal ordinal of the first root to come */
  constructor(firstOrdinal: number) {
    this.#next = [firstOrdinal]
  }

  /** Items that were not taken: they wait for an earlier one. */
  get size(): number {
    return this.#pending.size + (this.#arrived === null ? 0 : 1)
  }

  /** Whether this is the item that `take` waits for. */
  isNext({ position }: Mark): boolean {
    return isSamePlace(position, this.#next)
  }

  insert(item: T): void {
    const { position } = item.mark
    const isNext = this.isNext(item.mark)
    const key = isNext ? '' : keyOf(position)
    if (isNext ? this.#arrived !== null : this.#pending.has(key)) {
      throw new ContractError(`two items stand at position ${position.join('.')}`)
    }
    if (isNext) this.#arrived = item
    else this.#pending.set(key, item)
  }

  /** The next item in order, or null while it is still on the way. */
  take(): T | null {
    const item = this.#arrived ?? this.#takePending()
    if (item === null) return null
    this.#arrived = null
    this.#next = positionAfter(item.mark)
    return item
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

/** True when nothing of the root that `leaf` descends from comes after it. */
export function endsRoot(leaf: Mark): boolean {
  let mark = leaf
  while (mark.parent !== null) {
    if (!mark.isLast) return false
    mark = mark.parent
  }
  return true
}

function positionAfter(leaf: Mark): Position {
  let mark = leaf
  while (mark.isLast && mark.parent !== null) mark = mark.parent
  const position = mark.position.slice()
  const deepest = position.length - 1
  position[deepest] = (position[deepest] as number) + 1
  return position
}

/** A position is also that of its first child, of that one's first child, and so on: trailing zeros say nothing. */
function isSamePlace(a: Position, b: Position): boolean {
  const depth = Math.max(a.length, b.length)
  for (let level = 0; level < depth; level++) if ((a[level] ?? 0) !== (b[level] ?? 0)) return false
  return true
}

/** Equal for positions of the same place. */
function keyOf(position: readonly number[]): string {
  let depth = position.length
  while (depth > 1 && position[depth - 1] === 0) depth--
  return depth === position.length ? position.join('.') : position.slice(0, depth).join('.')
}
