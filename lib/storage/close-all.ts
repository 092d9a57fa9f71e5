/** Closing several things, when one of them may fail: the others are closed all the same, and the right failure is told. */

type Close = () => Promise<unknown>

/** Closes all, in order; then throws the first failure. */
export async function closeAll(closings: readonly Close[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of closings) await close().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

/**
 * Closes all after `error`, which is the one to tell: what fails now mostly fails because of it, as when a disk that is
 * full refuses the rest as well.
 */
export async function closeAfter(error: unknown, closings: readonly Close[]): Promise<never> {
  await closeAll(closings).catch(() => undefined) // it comes after `error`, and of it
  throw error
}
