/**
 * The endpoints of a run by address: models that name the same address share its connections, limit and health.
 * Opens and probes endpoints, refuses one that lacks a pinned capability, and reports their events.
 */
import type { EventLog } from '../../core/event-log.js'
import type { Clock } from '../../core/types.js'
import { EndpointError, ServerError } from '../../errors.js'
import { say } from '../../language/say.js'
import { acceptedBody, canaryBody, requireCapabilities } from '../endpoint/capabilities.js'
import { Endpoint } from '../endpoint/endpoint.js'
import { GoodputLimiter } from '../endpoint/goodput-limiter.js'
import { FixedLimiter, type Limiter } from '../endpoint/limiter.js'
import { type Probe, probeEndpoint } from '../endpoint/probe.js'
import type { ProbeMemory } from '../endpoint/probe-memory.js'
import { ServerLimiter } from '../endpoint/server-limiter.js'
import type { ModelOptions } from '../options.js'
import { type Client, endpointLabel } from '../protocol/client.js'
import type { ServerFigures } from '../protocol/server-metrics.js'
import type { Capabilities } from '../types.js'
import { accountError, outageError } from './time-limits.js'

/** Time for all probe requests of one endpoint at the start, ms: a cold server compiles at its first requests. */
const probeDeadlineMs = 120_000
/** Wait between two probes of a server that is not ready at the start, ms. */
const startWaitMs = 1000

/** Codes of an unreachable address. A connection that broke after it was established indicates a failing server. */
const unreachableCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Connections for probes and metrics in addition to those for requests. */
const spareConnections = 8

/** An event of an endpoint, for the user. */
export interface ServerEvent {
  readonly kind:
    | 'endpoint-down'
    | 'endpoint-up'
    | 'endpoint-waiting'
    | 'endpoint-note'
    | 'endpoint-added'
    | 'endpoint-removed'
    | 'usage-estimated'
  readonly endpoint: string
  /** Error text of the server, or a description. */
  readonly words: string
}
/** Receives events as they occur; must not throw. */
export type OnServerEvent = (event: ServerEvent) => void

/** State of an endpoint. */
export interface EndpointMetrics {
  readonly endpoint: string
  readonly inFlight: number
  readonly limit: number
  readonly limiter: Limiter['kind']
  readonly reason: string
  readonly down: boolean
  readonly figures: ServerFigures | null
}

/** Options for `EndpointRegistry`. */
interface RegistryOptions {
  readonly clock: Clock
  readonly probe: boolean
  /** Whether probes ask only what a sample needs. */
  readonly brief: boolean
  /** Responses to probes of an earlier process, for models without pinned capabilities. */
  readonly memory: ProbeMemory | null
  /** Longest wait at the start for a server that responds but is not ready, ms. */
  readonly outageMaxMs: number
  /** Longest wait at the start for a server that cannot be reached, ms. */
  readonly startMaxMs: number
  readonly pump: () => void
  readonly onEvent: OnServerEvent
  readonly log: EventLog
  /** Opens the connections to an address. */
  readonly connect: (url: string, connectionsMax: number) => Client
}

/** A model at an endpoint, with its probe. */
export interface ModelUse {
  readonly name: string
  readonly options: ModelOptions
  readonly headers: Readonly<Record<string, string>>
  readonly pinned: Capabilities | null
  /** Whether a stage needs the log-probabilities of its prompts. */
  readonly readsPrompts: boolean
  probe: Probe | null
}

interface Entry {
  readonly endpoint: Endpoint
  /** User and password of its address. */
  readonly user: string
  readonly uses: ModelUse[]
}

/** The endpoints of a run by address. */
export class EndpointRegistry {
  readonly #options: RegistryOptions
  readonly #entries = new Map<string, Entry>()
  /** Endpoints that were removed and still have requests in flight. */
  readonly #leaving = new Set<Promise<void>>()
  /** Probes under way, by what they ask. */
  readonly #probing = new Map<string, Promise<Probe>>()

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  /**
   * Returns the endpoints of a model at the start, created or shared. Sends nothing.
   *
   * @param urls its addresses: those of its options, or of their file
   *
   * @throws {EndpointError} another model names the same address with another user or password
   */
  endpoints(model: Omit<ModelUse, 'probe'>, urls: readonly string[]): Endpoint[] {
    return [...new Set(urls)].map((url) => {
      const label = endpointLabel(url)
      const use: ModelUse = { ...model, probe: null }
      const known = this.#entries.get(label)
      if (known === undefined) return this.#created(url, [use]).endpoint
      if (known.user !== userOf(url)) throw twoUsers(label, model.name, known.uses[0]?.name ?? '')
      known.uses.push(use)
      return known.endpoint
    })
  }

  /** @param uses at least one; those that are added to the list later are probed, too */
  #created(url: string, uses: ModelUse[]): Entry {
    const label = endpointLabel(url)
    const [{ options, headers }] = uses as [ModelUse]
    const endpoint: Endpoint = new Endpoint({
      client: this.#options.connect(url, options.inFlightMax + spareConnections),
      clock: this.#options.clock,
      limiter:
        options.limiter === 'fixed' ? new FixedLimiter(options.inFlightMax) : new GoodputLimiter(options.inFlightMax),
      fallback: () => new GoodputLimiter(options.inFlightMax),
      headers,
      log: this.#options.log,
      canary: (_, signal) => this.#canary(endpoint, uses, signal),
      onNote: (words) => this.#options.onEvent({ kind: 'endpoint-note', endpoint: label, words }),
      onChange: (_, what, words) => this.#changed(endpoint, what, words),
    })
    const entry = { endpoint, user: userOf(url), uses }
    this.#entries.set(label, entry)
    return entry
  }

  /**
   * Returns an endpoint that is added during the run, created or shared, after it passed its probes for these models.
   *
   * @throws {KunStreamError} it is not ready, lacks a capability of the run, or is in use with another user or password
   */
  async join(url: string, models: readonly Omit<ModelUse, 'probe'>[], signal: AbortSignal): Promise<Endpoint> {
    const label = endpointLabel(url)
    const uses = models.map((model): ModelUse => ({ ...model, probe: null }))
    const known = this.#entries.get(label)
    if (known !== undefined && known.user !== userOf(url)) {
      throw twoUsers(label, models[0]?.name ?? '', known.uses[0]?.name ?? '')
    }
    const { endpoint, uses: shared } = known ?? this.#created(url, uses)
    try {
      await endpoint.withDeadline(probeDeadlineMs, async (deadline) =>
        this.#canary(endpoint, uses, AbortSignal.any([deadline, signal])),
      )
      signal.throwIfAborted()
    } catch (error) {
      if (known === undefined)
        this.leave(
          endpoint,
          models.map(({ name }) => name),
        )
      throw error
    }
    if (known !== undefined) shared.push(...uses)
    return endpoint
  }

  /**
   * Ends the use of an endpoint by some models. An endpoint without a model is closed once its last request has settled.
   */
  leave(endpoint: Endpoint, models: readonly string[]): void {
    const entry = this.#entries.get(endpoint.label)
    if (entry?.endpoint !== endpoint) return
    const left = entry.uses.filter(({ name }) => !models.includes(name))
    entry.uses.splice(0, entry.uses.length, ...left)
    if (left.length > 0) return
    this.#entries.delete(endpoint.label)
    const leaving = endpoint.retire().finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }

  /** Probes all endpoints; returns the capabilities of each model's endpoints. */
  async open(): Promise<Map<string, Capabilities[]>> {
    const found = new Map<string, Capabilities[]>()
    if (!this.#options.probe) return found
    const failures = new Map<string, ServerError>()
    const unpaid = new Map<string, Endpoint[]>()
    await Promise.all(
      [...this.#entries.values()].flatMap(({ endpoint, uses }) =>
        uses.map(async (use) => {
          const isFound = () => found.has(use.name)
          const result = await this.#probeAtStart(endpoint, use, isFound)
          if (result === null) return
          if (!(result instanceof ServerError)) {
            found.set(use.name, [...(found.get(use.name) ?? []), result.capabilities])
            return
          }
          endpoint.markDown(result.message)
          if (result.details.kind === 'account') unpaid.set(use.name, [...(unpaid.get(use.name) ?? []), endpoint])
          if (use.pinned === null) failures.set(use.name, result)
        }),
      ),
    )
    for (const [name, endpoints] of unpaid) {
      // Another endpoint of the model can take over; this one is probed again during the run.
      if (found.has(name) || (!failures.has(name) && endpoints.length < this.#countOf(name))) continue
      throw accountError(endpoints)
    }
    for (const [name, failure] of failures) {
      if (found.has(name)) continue
      throw new EndpointError(
        say`no endpoint of model '${name}' responds: ${failure.message}. Start it, or check the address`,
        { cause: failure, details: { model: name } },
      )
    }
    return found
  }

  /**
   * Probes an endpoint until it is ready. Waits for one that is loading, busy or failing as in an outage, unless
   * another endpoint of the model is ready; waits up to `startMaxMs` for one that cannot be reached, since it may be
   * starting; does not wait for an unknown host or an invalid certificate.
   *
   * @returns null if the server serves another phase's model at the moment
   */
  async #probeAtStart(endpoint: Endpoint, use: ModelUse, isFound: () => boolean): Promise<Probe | ServerError | null> {
    const { clock, outageMaxMs, startMaxMs } = this.#options
    const fromMs = clock.now()
    let said = ''
    for (;;) {
      const failure = await this.#probeOnce(endpoint, use)
      if (!(failure instanceof Error)) return failure
      if (isOtherPhase(failure, use)) return null
      if (!(failure instanceof ServerError)) throw failure
      endpoint.recordFailure(failure)
      // Any other broken connection means that the server exists: wait as in an outage.
      const isWrong = isWrongAddress(failure)
      const isSilent =
        (isWrong || unreachableCodes.has(String(failure.details.system))) && endpoint.lastFailure?.answered !== true
      if (failure.details.kind === 'account' || use.pinned !== null || isFound()) return failure
      if (isSilent && isWrong) return failure
      const waitedMs = clock.now() - fromMs
      const leftMs = (isSilent ? startMaxMs : outageMaxMs) - waitedMs
      if (isSilent && leftMs <= 0) return failure
      if (leftMs < 0) throw outageError([endpoint], waitedMs)
      const state = isSilent ? 'not reachable' : 'not ready'
      if (said !== state) {
        said = state
        const words = String(failure.details.words ?? failure.message)
        const limit = isSilent
          ? `servers.startMaxMs ${startMaxMs / 1000} s`
          : `servers.outageMaxMs ${outageMaxMs / 1000} s`
        const event = { endpoint: endpoint.label, words: `${state} (${words}); waiting for it (${limit})` }
        this.#options.onEvent({ kind: 'endpoint-waiting', ...event })
      }
      const askedMs = Number(failure.details.retryAfterMs ?? 0)
      await clock.sleep(Math.min(Math.max(startWaitMs, askedMs), Math.max(1, leftMs)))
    }
  }

  /** Returns the error of a probe that failed or took too long. */
  async #probeOnce(endpoint: Endpoint, use: ModelUse): Promise<Probe | Error> {
    let isOver = () => false
    try {
      return await endpoint.withDeadline(probeDeadlineMs, (signal) => {
        isOver = () => signal.aborted
        return this.#probe(endpoint, use, signal)
      })
    } catch (error) {
      if (isOver()) return noAnswer(endpoint)
      if (error instanceof Error) return error
      throw error
    }
  }

  /** Returns the number of endpoints of a model. */
  #countOf(name: string): number {
    return [...this.#entries.values()].filter(({ uses }) => uses.some((use) => use.name === name)).length
  }

  /** Returns the sum of the limits. */
  slots(): number {
    let sum = 0
    for (const { endpoint } of this.#entries.values()) sum += endpoint.limiter.limit
    return sum
  }

  metrics(): EndpointMetrics[] {
    return [...this.#entries.values()].map(({ endpoint }) => ({
      endpoint: endpoint.label,
      inFlight: endpoint.inFlight,
      limit: endpoint.limiter.limit,
      limiter: endpoint.limiter.kind,
      reason: endpoint.limiter.reason,
      down: endpoint.isDown,
      figures: endpoint.figures,
    }))
  }

  async close(): Promise<void> {
    await Promise.all([...[...this.#entries.values()].map(({ endpoint }) => endpoint.close()), ...this.#leaving])
  }

  async #probe(endpoint: Endpoint, use: ModelUse, signal: AbortSignal): Promise<Probe> {
    const probe = await this.#sharedProbe(endpoint, use, signal)
    if (use.pinned !== null) requireCapabilities(endpoint.label, probe.capabilities, use.pinned)
    use.probe = probe
    for (const words of probe.notes) this.#options.onEvent({ kind: 'endpoint-note', endpoint: endpoint.label, words })
    if (probe.capabilities.metrics && use.options.limiter === 'auto' && endpoint.limiter.kind === 'goodput') {
      endpoint.pollMetrics(new ServerLimiter(use.options.inFlightMax))
    }
    return probe
  }

  /** Probes once for models that send the same requests at the same time. */
  #sharedProbe(endpoint: Endpoint, { options, headers, readsPrompts, pinned }: ModelUse, signal: AbortSignal) {
    const { model, chatTemplateKwargs, extraBody, stream } = options
    const isHeld = pinned !== null
    const key = JSON.stringify([
      endpoint.label,
      [model, chatTemplateKwargs, extraBody, stream],
      [headers, readsPrompts, isHeld],
    ])
    const underWay = this.#probing.get(key)
    if (underWay !== undefined) return underWay
    const { clock, brief, memory } = this.#options
    const probing = probeEndpoint(endpoint.client, headers, { ...options, readsPrompts }, signal, {
      ...{ clock, brief },
      ...(memory !== null && !isHeld && { memory }),
    }).finally(() => this.#probing.delete(key))
    this.#probing.set(key, probing)
    return probing
  }

  /** Probes a server that was down at the start in full: it may lack a pinned capability. */
  async #canary(endpoint: Endpoint, uses: readonly ModelUse[], signal: AbortSignal): Promise<void> {
    let absent = 0
    for (const use of uses) {
      if (this.#options.probe && use.probe === null) {
        try {
          await this.#probe(endpoint, use, signal)
        } catch (error) {
          if (!isOtherPhase(error, use) || ++absent === uses.length) throw error
        }
      } else {
        const { headers, options } = use
        const kind = use.probe?.kind ?? 'chat'
        const capabilities = use.probe?.capabilities ?? use.pinned
        const accepted = (body: Record<string, unknown>) =>
          capabilities === null ? body : acceptedBody(body, capabilities)
        await endpoint.client.send(
          { kind, body: accepted(canaryBody(kind, options)), prompts: 1, headers, stream: false },
          signal,
        )
      }
    }
  }

  #changed(endpoint: Endpoint, what: 'room' | 'down' | 'up', words: string): void {
    if (what !== 'room') this.#options.onEvent({ kind: `endpoint-${what}`, endpoint: endpoint.label, words })
    this.#options.pump()
  }
}

/**
 * Whether the server does not have a model whose capabilities are pinned. In a run by phases one server serves one
 * model after the other, so this is an error only when a call needs the model.
 */
function isOtherPhase(failure: unknown, { pinned }: ModelUse): boolean {
  return pinned !== null && failure instanceof EndpointError && failure.details.status === 404
}

/** An unknown host or a rejected certificate: waiting for a server to start does not help. */
function isWrongAddress({ details }: ServerError): boolean {
  return /^ENOTFOUND$|^EADDRNOTAVAIL$|CERT|TLS|SSL|UNABLE_TO_/.test(String(details.system ?? ''))
}

function noAnswer(endpoint: Endpoint): ServerError {
  const words = `no response within ${probeDeadlineMs / 1000} s`
  return new ServerError(`${endpoint.label}: ${words}`, { details: { kind: 'deadline', words } })
}

function userOf(address: string): string {
  const { username, password } = new URL(address)
  return `${username}:${password}`
}

/** The error for two users at one address: connections are shared, and each is authenticated as one user. */
function twoUsers(label: string, name: string, other: string): EndpointError {
  return new EndpointError(
    say`models '${name}' and '${other}' name ${label} with different users or passwords. Give both the same,
      or use apiKey`,
    { details: { model: name } },
  )
}
