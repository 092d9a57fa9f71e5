/** Which failed attempts count against a unit, and how many set it aside. */

/** Failed attempts after which a unit is set aside. */
export const attemptsMax = 3

/** Codes of exit codes 2 and 3: servers, disk, account or a signal ended the worker, not its unit. */
const workerCodes: ReadonlySet<string> = new Set([
  ...['KUN_ABORTED', 'KUN_ACCOUNT', 'KUN_DRIFT', 'KUN_ENDPOINT', 'KUN_LIMIT', 'KUN_LOCK_LOST', 'KUN_MEMORY_REFUSED'],
  ...['KUN_NO_YIELD', 'KUN_OUTAGE', 'KUN_RUN_MISMATCH', 'KUN_STORAGE', 'KUN_STORE_ACCESS', 'KUN_STORE_UNAVAILABLE'],
  ...['KUN_USAGE', 'KUN_RECIPE', 'KUN_INVALID_OPTION', 'KUN_HUB_ACCESS', 'KUN_HUB_UNAVAILABLE', 'KUN_STORE_REFUSED'],
])

/** Counts the failures of the unit, not those of its workers; the loss of several workers sets it aside. */
export function countFailures(failures: readonly { readonly code: string }[]): number {
  return failures.reduce((sum, { code }) => {
    if (code === 'KUN_UNIT_LOST') return sum + attemptsMax
    return sum + (workerCodes.has(code) ? 0 : 1)
  }, 0)
}
