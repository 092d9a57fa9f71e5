/**
 * Copies the replies of an attempt from its local disk to the store as they arrive, so that the next attempt at the same
 * unit does not request them again. If the host is lost, the replies since the last copy are lost.
 *
 * A closed segment is copied once. The open log is copied again as a whole, which replaces the previous copy: an object
 * has all replies up to a point, and may end in a torn one, which readers skip.
 */
import { join } from 'node:path'
import { systemClock } from '../core/clock.js'
import type { Clock } from '../core/types.js'
import { KunStreamError } from '../errors.js'
import { say } from '../language/say.js'
import { errnoOf, type FileLayer, nodeFiles } from '../storage/files.js'
import { replySegmentName } from '../storage/run-layout.js'
import type { ObjectStore } from './object-store.js'

/** Age of the oldest reply that is not copied, at which a copy starts. */
const shipMsDefault = 30_000
/** How often the sizes of the segments are read. */
const lookMs = 1000

/** Options for `shipReplies`. */
interface ReplyShippingOptions {
  readonly store: ObjectStore
  /** Local `replies/` of the attempt. */
  readonly directory: string
  /** Keys of its segments: 'attempts/UNIT/ATTEMPT/replies/'. */
  readonly prefix: string
  readonly shipMs?: number
  readonly clock?: Clock
  readonly files?: FileLayer
  /** Receives the failure of a copy, once until one succeeds. The next look tries again. */
  readonly onWarning: (message: string) => void
}

/** Shipping in progress. */
export interface ReplyShipping {
  /** Bytes of segments that the store does not have. */
  unshippedBytes(): Promise<number>
  /** Copies now what is not in the store; what is kept during the call may be left for the next. @throws the store's failure */
  ship(): Promise<void>
  /**
   * Ends the periodic copies and makes a last one: call it once `Replies.close` has ended, or after a failure.
   *
   * @returns the names of all segments
   * @throws the store's failure
   */
  close(): Promise<string[]>
}

/** Starts to copy the segments of a directory: every `shipMs`, and when one was closed, which is after 8 MiB of replies. */
export function shipReplies(options: ReplyShippingOptions): ReplyShipping {
  return new Shipping(options)
}

interface LocalSegment {
  readonly name: string
  readonly bytes: number
}

class Shipping implements ReplyShipping {
  readonly #options: ReplyShippingOptions
  readonly #clock: Clock
  readonly #files: FileLayer
  /** Name → bytes that the store has. */
  readonly #shipped = new Map<string, number>()
  readonly #ending = new AbortController()
  readonly #loop: Promise<void>
  /** One copy at a time. */
  #copying: Promise<void> = Promise.resolve()
  #warned = false

  constructor(options: ReplyShippingOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#files = options.files ?? nodeFiles
    this.#loop = this.#shipPeriodically()
  }

  async unshippedBytes(): Promise<number> {
    const segments = await this.#unshipped()
    return segments.reduce((sum, { name, bytes }) => sum + bytes - (this.#shipped.get(name) ?? 0), 0)
  }

  ship(): Promise<void> {
    const copied = this.#copying.then(() => this.#copy())
    this.#copying = copied.catch(() => undefined) // the caller has the failure
    return copied
  }

  async close(): Promise<string[]> {
    this.#ending.abort()
    await this.#loop
    await this.ship()
    return [...this.#shipped.keys()].sort()
  }

  async #shipPeriodically(): Promise<void> {
    const { shipMs = shipMsDefault } = this.#options
    const { signal } = this.#ending
    let sinceMs = this.#clock.now()
    while (!signal.aborted) {
      const woken = await this.#clock.sleep(Math.min(lookMs, shipMs), signal).then(
        () => true,
        () => false, // closing: `close` makes the last copy
      )
      if (!woken) return
      try {
        const waiting = await this.#unshipped()
        if (waiting.length === 0) sinceMs = this.#clock.now()
        const closed = waiting.some(({ name }) => name.endsWith('.pack'))
        if (!closed && this.#clock.now() - sinceMs < shipMs) continue
        sinceMs = this.#clock.now()
        await this.ship()
        this.#warned = false
      } catch (error) {
        this.#warn(error)
      }
    }
  }

  /** A store that is down does not stop the attempt: its replies are safe on this disk. */
  #warn(error: unknown): void {
    if (this.#warned) return
    this.#warned = true
    const { directory, onWarning } = this.#options
    const why = error instanceof KunStreamError ? error.message : String(error)
    onWarning(say`replies of ${directory} could not be copied to the store, which is tried again: ${why}`)
  }

  async #copy(): Promise<void> {
    const { store, directory, prefix } = this.#options
    for (const { name, bytes } of await this.#unshipped()) {
      try {
        await store.putFile(prefix + name, join(directory, name))
      } catch (error) {
        // Packed meanwhile: the pack is copied below or next time.
        if (errnoOf(error) === 'ENOENT' && (await this.#files.sizeBytes(join(directory, name))) === null) continue
        throw error
      }
      this.#shipped.set(name, bytes)
    }
    const there = new Set((await this.#segments()).map(({ name }) => name))
    for (const name of this.#shipped.keys()) {
      // Only a log whose pack is stored has gone: never the one without the other.
      if (there.has(name) || !this.#shipped.has(name.replace(/\.log$/, '.pack'))) continue
      await store.remove(prefix + name)
      this.#shipped.delete(name)
    }
  }

  async #unshipped(): Promise<LocalSegment[]> {
    return (await this.#segments()).filter(({ name, bytes }) => this.#shipped.get(name) !== bytes)
  }

  async #segments(): Promise<LocalSegment[]> {
    const { directory } = this.#options
    const names = (await this.#files.list(directory)).filter((name) => replySegmentName.test(name))
    const segments: LocalSegment[] = []
    for (const name of names) {
      const bytes = await this.#files.sizeBytes(join(directory, name))
      if (bytes !== null) segments.push({ name, bytes })
    }
    return segments
  }
}
