/** Bounded concurrency, in place of `Promise.all`, for lists and calls whose number depends on the data. */
import { ContractError } from '../errors.js'

/** Files of a list that are read concurrently: far below the common limit of 1024 open files per process. */
export const openFilesMax = 16

/**
 * Maps items with at most `concurrentMax` calls of `map` in flight. Results are in the order of `items`.
 *
 * After a failure no further call is started; rejects with the first failure, once the calls in flight have ended.
 * @throws {ContractError} `concurrentMax` is not a positive integer
 */
export async function mapConcurrent<T, R>(
  items: Iterable<T>,
  concurrentMax: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  mustBePositive(concurrentMax)
  const list = [...items]
  const results = new Array<R>(list.length)
  let next = 0
  let failure: { readonly error: unknown } | null = null
  const worker = async (): Promise<void> => {
    while (failure === null && next < list.length) {
      const index = next++
      try {
        results[index] = await map(list[index] as T, index)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrentMax, list.length) }, worker))
  if (failure !== null) throw (failure as { readonly error: unknown }).error
  return results
}

/**
 * Runs calls with at most `concurrentMax` of them in flight; further ones wait in order. The caller limits their number.
 *
 * @throws {ContractError} `concurrentMax` is not a positive integer
 */
export function limitConcurrent(concurrentMax: number): <R>(call: () => Promise<R>) => Promise<R> {
  mustBePositive(concurrentMax)
  const waiting: (() => void)[] = []
  let inFlight = 0
  return async (call) => {
    if (inFlight >= concurrentMax) await new Promise<void>((resolve) => waiting.push(resolve))
    else inFlight++
    try {
      return await call()
    } finally {
      // Pass the slot to the next waiter in order, or free it.
      const next = waiting.shift()
      if (next === undefined) inFlight--
      else next()
    }
  }
}

function mustBePositive(concurrentMax: number): void {
  if (Number.isInteger(concurrentMax) && concurrentMax >= 1) return
  throw new ContractError(`concurrentMax is ${concurrentMax}: must be a positive integer`)
}
