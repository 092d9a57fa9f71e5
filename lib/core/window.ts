/**
 * Restores the input's order. Items come in as they finish and go out as they were read: after a leaf follows its next
 * sibling, after the last sibling the parent's next one.
 *
 * Example: block 4 was split in two records, the second of those in two pairs. The order is 4.0, 4.1.0, 4.1.1, 5.
 * The window itself has no limit: what it can hold is bounded by the credit that its items took.
 */
import { ContractError } from '../errors.js'
import type { Mark } from './ledger.js'

export class Window<T extends { readonly mark: Mark }> {
  readonly #pending = new Map<string, T>()
  #next: string

  /** @param firstOrdinal ordinal of the first root to come */
  constructor(firstOrdinal: number) {
    this.#next = keyOf([firstOrdinal])
  }

  /** Items that wait for an earlier one. */
  get size(): number {
    return this.#pending.size
  }

  insert(item: T): void {
    const key = keyOf(item.mark.position)
    if (this.#pending.has(key)) throw new ContractError(`two items stand at position ${item.mark.position.join('.')}`)
    this.#pending.set(key, item)
  }

  /** The next item in order, or null while it is still on the way. */
  take(): T | null {
    const item = this.#pending.get(this.#next)
    if (item === undefined) return null
    this.#pending.delete(this.#next)
    this.#next = keyOf(positionAfter(item.mark))
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

function positionAfter(leaf: Mark): number[] {
  let mark = leaf
  while (mark.isLast && mark.parent !== null) mark = mark.parent
  const position = [...mark.position]
  const deepest = position.length - 1
  position[deepest] = (position[deepest] as number) + 1
  return position
}

/** A position is also that of its first child, of that one's first child, and so on: trailing zeros say nothing. */
function keyOf(position: readonly number[]): string {
  let depth = position.length
  while (depth > 1 && position[depth - 1] === 0) depth--
  return depth === position.length ? position.join('.') : position.slice(0, depth).join('.')
}
