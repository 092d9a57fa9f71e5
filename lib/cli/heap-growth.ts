/**
 * Growth limit of the JavaScript heap between two collections. By default V8 collects the old generation only after it
 * has grown to as much as four times its live size. In a run most values live for seconds, so that most of the heap is
 * then garbage, and peak memory grows with the length of the run.
 *
 * Applies to the process and its threads. V8 reads the flag whenever it computes the next limit, so it may be set late.
 */
import { setFlagsFromString } from 'node:v8'

/** Growth over the live size, in percent. */
const heapGrowthPercent = 50

/** Called once by the command, which owns the process; the library does not call it. */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`)
}
