/** Closes all resources, even if closing one fails, and rethrows the first failure. */

type Close = () => Promise<unknown>

/** Closes all in order; then throws the first failure. */
export async function closeAll(closings: readonly Close[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of closings) await close().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

/** Closes all and rethrows `error`. Failures of closing are ignored: most are consequences, as on a full disk. */
export async function closeAfter(error: unknown, closings: readonly Close[]): Promise<never> {
  await closeAll(closings).catch(() => undefined) // usually caused by `error`
  throw error
}
