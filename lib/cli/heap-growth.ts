/**
 * How far the JavaScript heap of the command may outgrow what lives in it. V8 collects the old generation only once it
 * has grown to as much as four times what the last collection left: in a run, where little lives long and much lives
 * for seconds, most of the heap is then garbage, and the peak of memory depends on how long a run lasts.
 *
 * For the process and its threads; V8 reads the flag whenever it sets the next limit, so that it may be set late.
 */
import { setFlagsFromString } from 'node:v8'

/** Percent by which the heap grows past what lives, between two collections of the old generation. */
export const heapGrowthPercent = 50

/** Called once by whoever owns the process: the command, not the library. */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`)
}
