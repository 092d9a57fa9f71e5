/** Adds accounts of personal data: of the parts of a block, of blocks, of a split. */
import { keysOf } from '../../core/objects.js'
import type { PersonalAccount } from './documents.js'
import type { PersonalCounts } from './kinds.js'

/** Returns the sum of two counts, keys in order of code unit. */
function addPersonalCounts(a: PersonalCounts, b: PersonalCounts): PersonalCounts {
  const kinds = [...new Set([...keysOf(a), ...keysOf(b)])].sort()
  return Object.fromEntries(kinds.map((kind) => [kind, (a[kind] ?? 0) + (b[kind] ?? 0)]))
}

/** Returns the sum of the accounts; null if none found anything. */
export function sumPersonalAccounts(accounts: readonly (PersonalAccount | null | undefined)[]): PersonalAccount | null {
  const found = accounts.filter((account) => account !== null && account !== undefined)
  if (found.length === 0) return null
  return found.reduce((sum, account) => ({
    masked: addPersonalCounts(sum.masked, account.masked),
    dropped: addPersonalCounts(sum.dropped, account.dropped),
  }))
}
