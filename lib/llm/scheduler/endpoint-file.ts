/**
 * `endpoints: { file: … }`: keeps a group of endpoints equal to the list in a file while the run continues.
 *
 * An added server receives calls once it passes its probes for every model of the group. A removed server receives no
 * further call; those in flight finish. A file that is not valid is reported and the last valid list is kept.
 */

import { errorMessage } from '../../caught-error.js'
import type { EventLog } from '../../core/event-log.js'
import type { Clock } from '../../core/types.js'
import { EndpointError } from '../../errors.js'
import { readEndpointList } from '../endpoint/endpoint-list.js'
import { endpointLabel } from '../protocol/client.js'
import type { EndpointRegistry, ModelUse, OnServerEvent } from './endpoint-registry.js'
import type { EndpointGroup } from './pending-request.js'

/** Time between two reads of a file, ms. */
const fileReadMs = 3000
/** Wait between two probes of an added server, ms: doubled at each failure up to the maximum. */
const probeWaitMs = 1000
const probeWaitMaxMs = 10_000
/** Wait between two reads at the start, ms, until the file is there or `startMaxMs` is over. */
const startWaitMs = 500

/** Options for `EndpointFile`. */
interface EndpointFileOptions {
  readonly path: string
  readonly group: EndpointGroup
  readonly registry: EndpointRegistry
  /** The models of the group, with the capabilities that an added server must have. */
  readonly uses: () => readonly Omit<ModelUse, 'probe'>[]
  /** Longest wait at the start for a file that is not there or not valid, ms. */
  readonly startMaxMs: number
  readonly clock: Clock
  readonly pump: () => void
  readonly onEvent: OnServerEvent
  readonly log: EventLog
}

/** Adds and removes the endpoints of one group as its file changes. */
export class EndpointFile {
  readonly #options: EndpointFileOptions
  readonly #closing = new AbortController()
  /** Servers that are listed and did not pass their probes yet. */
  readonly #joining = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>()
  #reading: Promise<void> | null = null
  #fault = ''

  constructor(options: EndpointFileOptions) {
    this.#options = options
  }

  /** Reads the first list; waits for a file that is not there or not valid, as for a server that is being started. */
  async first(): Promise<readonly string[]> {
    const { path, clock, startMaxMs, onEvent } = this.#options
    const fromMs = clock.now()
    for (let reported = false; ; reported = true) {
      try {
        return await readEndpointList(path)
      } catch (error) {
        const leftMs = startMaxMs - (clock.now() - fromMs)
        if (!(error instanceof EndpointError) || leftMs <= 0) throw error
        const words = `${error.message}; waiting for it (servers.startMaxMs ${startMaxMs / 1000} s)`
        if (!reported) onEvent({ kind: 'endpoint-waiting', endpoint: path, words })
        await clock.sleep(Math.min(startWaitMs, Math.max(1, leftMs)))
      }
    }
  }

  /** Reads the file from now on, until it is closed. */
  start(): void {
    this.#reading = this.#poll()
  }

  get group(): EndpointGroup {
    return this.#options.group
  }

  async close(): Promise<void> {
    this.#closing.abort(new DOMException('closed', 'AbortError'))
    await this.#reading
    await Promise.all([...this.#joining.values()].map(({ done }) => done))
  }

  async #poll(): Promise<void> {
    const { path, clock, log, onEvent } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      await clock.sleep(fileReadMs, signal).catch(() => undefined) // closed
      if (signal.aborted) return
      try {
        const list = await readEndpointList(path)
        this.#fault = ''
        if (!signal.aborted) this.#apply(list)
      } catch (error) {
        const words = errorMessage(error)
        if (words === this.#fault) continue
        this.#fault = words
        log.warn('endpoint-list-invalid', { file: path, words })
        onEvent({ kind: 'endpoint-note', endpoint: path, words: `${words}. The last valid list is kept` })
      }
    }
  }

  #apply(list: readonly string[]): void {
    const { group, registry, clock } = this.#options
    const listed = new Map(list.map((url) => [endpointLabel(url), url]))
    const used = new Set(group.endpoints.map(({ label }) => label))
    for (const [label, { stop }] of this.#joining) {
      if (!listed.has(label)) stop.abort(new DOMException('removed from the list', 'AbortError'))
    }
    for (const label of used) {
      if (listed.has(label)) continue
      const endpoint = group.remove(label, clock.now())
      if (endpoint !== null) registry.leave(endpoint, this.#names())
      this.#report('endpoint-removed', label, `removed from the list; ${this.#count()}`)
    }
    for (const [label, url] of listed) {
      if (used.has(label) || this.#joining.has(label)) continue
      const stop = new AbortController()
      const done = this.#join(label, url, stop.signal).finally(() => this.#joining.delete(label))
      this.#joining.set(label, { stop, done })
    }
  }

  /** Probes an added server until it passes, is removed, or the run ends. */
  async #join(label: string, url: string, stopped: AbortSignal): Promise<void> {
    const { group, registry, clock, pump } = this.#options
    const signal = AbortSignal.any([stopped, this.#closing.signal])
    let reported = ''
    for (let waitMs = probeWaitMs; !signal.aborted; waitMs = Math.min(probeWaitMaxMs, 2 * waitMs)) {
      try {
        const endpoint = await registry.join(url, this.#options.uses(), signal)
        group.add(endpoint)
        this.#report('endpoint-added', label, `added from the list; ${this.#count()}`)
        pump()
        return
      } catch (error) {
        if (signal.aborted) return
        const words = `not ready (${errorMessage(error)}); it is probed until it is`
        if (words !== reported) this.#report('endpoint-waiting', label, words)
        reported = words
      }
      await clock.sleep(waitMs, signal).catch(() => undefined) // removed or closed
    }
  }

  #names(): string[] {
    return this.#options.uses().map(({ name }) => name)
  }

  #count(): string {
    const { length } = this.#options.group.endpoints
    return length === 1 ? '1 server' : `${length} servers`
  }

  #report(kind: 'endpoint-added' | 'endpoint-removed' | 'endpoint-waiting', endpoint: string, words: string): void {
    this.#options.log.info(kind, { endpoint, words })
    this.#options.onEvent({ kind, endpoint, words })
  }
}
