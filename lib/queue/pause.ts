/** A pause that a signal ends. */
import { setTimeout as delay } from 'node:timers/promises'

/** Waits; returns at once when the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined) // the caller checks the signal
}
