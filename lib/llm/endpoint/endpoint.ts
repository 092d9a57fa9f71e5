/**
 * One server as the dispatcher sees it: free slots, requests in flight, whether it is down and since when. Polls
 * `/metrics` for the limiter, and probes a server that is down until it responds.
 */

import { setMaxListeners } from 'node:events'
import type { EventLog } from '../../core/event-log.js'
import type { Clock } from '../../core/types.js'
import { KunStreamError, ServerError } from '../../errors.js'
import type { Reply } from '../../storage/replies/types.js'
import type { Client } from '../protocol/client.js'
import { type FailureKind, failureOfStatus } from '../protocol/failures.js'
import { isSameModel } from '../protocol/model-names.js'
import { limitsOfDetails, type RateLimits } from '../protocol/rate-limits.js'
import { parseServerMetrics, type ServerFigures } from '../protocol/server-metrics.js'
import { Health, type RecordSuspicion } from './health.js'
import { KvBudget } from './kv-budget.js'
import { type Limiter, pollMs } from './limiter.js'
import { Pacer } from './pacer.js'

/** Wait before a server that is down is probed, ms: doubled at each failure up to the maximum. */
const probeWaitMs = 500
const probeWaitMaxMs = 2000
/** Time for a probe's response, ms: a full server responds late. */
const probeDeadlineMs = 60_000
/** Minimum wait after a probe that was refused by a rate limit, ms. */
const probeRefusedWaitMs = 8000
const pollDeadlineMs = 5000
/** Polls without metrics after which the limiter is replaced: 15 s. */
const pollFailuresMax = 30

/** Model names that are reported, at most: a server may send a new one in every reply. */
const modelsMax = 64

/** Options for `Endpoint`. */
interface EndpointOptions {
  readonly client: Client
  readonly clock: Clock
  readonly limiter: Limiter
  /** Creates the limiter that is used once `/metrics` fails. */
  readonly fallback: () => Limiter
  /** Headers of probes. */
  readonly headers: Readonly<Record<string, string>>
  /** Sends the smallest request of the kind that is sent here; throws if it gets no reply. */
  readonly canary: (endpoint: Endpoint, signal: AbortSignal) => Promise<void>
  /** Called with a message for the user. */
  readonly onNote: (words: string) => void
  /** Log of rate limits and their changes. */
  readonly log?: EventLog
  /** Called when slots may have become free, and when the endpoint goes down or comes back. */
  readonly onChange: (endpoint: Endpoint, what: 'room' | 'down' | 'up', words: string) => void
}

/** The last failure of an endpoint, for messages. */
interface LastFailure {
  readonly words: string
  readonly atMs: number
  /** Whether the server sent a response. */
  readonly answered: boolean
}

/** A request in flight, as its endpoint counts it. */
export interface SentRequest {
  /** Number of prompts; each takes a slot. */
  readonly requests: readonly unknown[]
  readonly sentAtMs: number
  /** Its number at its endpoint, and how many prompts were in flight with it. */
  readonly requestNumber: number
  readonly inFlight: number
  /** Estimated tokens of its prompts. */
  readonly promptTokens: number
  /** Rate limits in the response headers, once received. */
  limits: RateLimits | null
  /** Whether it was refused by a rate limit. */
  isPaced: boolean
}

/** A request that got a reply, as its endpoint counts it. */
interface AnsweredRequest {
  readonly call: { readonly record: string }
  readonly suspicion: RecordSuspicion
  /** UTF-16 units of its prompt. */
  readonly promptUnits: number
}

/** Failures of a server that is not ready or whose account is refused: nothing is sent until a probe passes. */
const closingKinds: ReadonlySet<FailureKind> = new Set(['loading', 'account'])
/** Failures without a response. */
const silentKinds: ReadonlySet<string> = new Set(['connection', 'deadline'])

/** One address: its slots, its limit, and whether it is down. */
export class Endpoint {
  readonly #options: EndpointOptions
  readonly client: Client
  readonly health = new Health()
  readonly #kv = new KvBudget()
  limiter: Limiter
  inFlight = 0
  /** The last metrics of the server. */
  figures: ServerFigures | null = null
  /** Text of its last failure. */
  lastFailure: LastFailure | null = null
  /** Error text with which it refuses the account; null if it does not. */
  account: string | null = null
  /** Model names in its replies. */
  readonly #models = new Set<string>()
  #down: { sinceMs: number } | null = null
  #downBeforeMs = 0
  readonly #pacer = new Pacer()
  #limitsLogged = false
  #rateLogged: number | null = null
  /** Highest number of requests in flight at which a request passed. */
  #inFlightPassed = 0
  readonly #closing = new AbortController()
  /** Requests and checks under way; a retired endpoint is closed after the last one. */
  #uses = 0
  #onUnused: (() => void) | null = null
  readonly #loops = new Set<Promise<void>>()

  constructor(options: EndpointOptions) {
    this.#options = options
    this.client = options.client
    this.limiter = options.limiter
    setMaxListeners(0, this.#closing.signal) // each pause and probe adds a listener while it lasts
  }

  /** Polls `/metrics` for `limiter`, which replaces the current one. */
  pollMetrics(limiter: Limiter): void {
    this.limiter = limiter
    this.#startLoop(() => this.#poll())
  }

  get label(): string {
    return this.client.label
  }

  get isDown(): boolean {
    return this.#down !== null
  }

  /** Returns the number of prompts that may be sent now. */
  capacity(nowMs: number): number {
    if (this.#down !== null) return 0
    const free = this.limiter.limit - this.inFlight
    return free <= 0 || this.#kv.isFull(nowMs) ? 0 : Math.min(free, this.#pacer.capacity(nowMs))
  }

  /** Records that a call waits for a slot: evidence for a higher limit, unless it waits for pacing. */
  noteWaiting(nowMs: number): void {
    if (this.#pacer.capacity(nowMs) > 0) this.limiter.noteWaiting()
  }

  /** Takes the slots of a request that is sent; `promptUnits` are the UTF-16 units of all its prompts. */
  takeSlots(
    prompts: number,
    promptUnits: number,
    nowMs: number,
  ): Pick<SentRequest, 'requestNumber' | 'inFlight' | 'promptTokens'> {
    this.inFlight += prompts
    const promptTokens = this.#kv.noteSent(prompts, promptUnits, nowMs)
    return { requestNumber: this.#pacer.noteSent(nowMs), inFlight: this.inFlight, promptTokens }
  }

  /** Frees the slots of a request; `failure` is its error, null for a reply. */
  releaseSlots(sent: SentRequest, failure: unknown): void {
    const { requests, requestNumber, sentAtMs, limits, inFlight, promptTokens } = sent
    const nowMs = this.#options.clock.now()
    this.inFlight -= requests.length
    this.#kv.noteEnded(requests.length, promptTokens, sentAtMs)
    if (failure === null) this.#inFlightPassed = Math.max(this.#inFlightPassed, inFlight)
    const { kind, status, retryAfterMs = null } = failure instanceof ServerError ? failure.details : {}
    if (kind === 'connection') return
    if (kind !== 'busy') {
      this.#pacer.noteAccepted(requestNumber, sentAtMs, limits, nowMs)
      this.#logLimits(limits)
      return
    }
    const wasHeld = this.#pacer.isHeld
    const isOfRate = status !== 503 && status !== 529
    const said = limitsOfDetails((failure as ServerError).details)
    this.#pacer.noteRefused(
      requestNumber,
      sentAtMs,
      { retryAfterMs: retryAfterMs as number | null, limits: said, isOfRate },
      nowMs,
    )
    if (!wasHeld && this.#pacer.isHeld) {
      this.#options.log?.info('endpoint-paced', { endpoint: this.label, status, retryAfterMs })
    }
    // Too few were in flight for them to be the cause.
    sent.isPaced = isOfRate && (said !== null || inFlight <= this.#inFlightPassed / 2)
  }

  /** Logs limits when they are first reported, and the rate learned from refusals when it changes. */
  #logLimits(limits: RateLimits | null): void {
    if (limits !== null && !this.#limitsLogged) {
      this.#limitsLogged = true
      this.#options.log?.info('limits-reported', { endpoint: this.label, ...limits })
    }
    const perSecond = this.#pacer.learnedPerSecond
    if (perSecond === this.#rateLogged) return
    this.#rateLogged = perSecond
    this.#options.log?.info('rate-learned', { endpoint: this.label, perSecond })
  }

  /** Returns the total time that this endpoint has been down, which deadlines do not count, ms. */
  downMs(nowMs: number): number {
    return this.#downBeforeMs + (this.#down === null ? 0 : nowMs - this.#down.sinceMs)
  }

  /** @param sentAtMs when the request that succeeded was sent */
  noteSuccess({ call, suspicion, promptUnits }: AnsweredRequest, sentAtMs: number, reply: Reply): void {
    const atMs = this.#options.clock.now()
    const tokens = reply.completionTokens
    this.#pacer.noteTokens(reply.promptTokens + tokens)
    this.health.noteSuccess(call.record, sentAtMs, suspicion)
    if (this.health.troubleSinceMs === null) this.lastFailure = null
    const latencyMs = atMs - sentAtMs
    this.limiter.noteFinished({ atMs, latencyMs, tokens }, this.inFlight)
    this.#kv.noteReply({ promptUnits, promptTokens: reply.promptTokens, replyTokens: tokens, latencyMs })
  }

  /** @param isPaced refused by a rate limit, which does not depend on the number of requests in flight */
  noteFailure(record: string, kind: FailureKind, isPaced: boolean, words: string): void {
    const nowMs = this.#options.clock.now()
    if ((kind === 'busy' && !isPaced) || kind === 'deadline') this.limiter.noteOverload(nowMs, this.inFlight)
    if (this.health.noteFailure(record, kind, nowMs) || closingKinds.has(kind)) this.markDown(words)
  }

  /** Stores and returns the text of a failure for outage messages; a failure without response does not replace one. */
  recordFailure(error: unknown): string {
    if (!(error instanceof KunStreamError)) return String(error)
    const { kind, reason, status, serverCode } = error.details
    const code = typeof status === 'number' && status !== 200 ? status : serverCode
    const said = String(error.details.words ?? error.message)
    const words = code === undefined || code === null ? said : `${code} ${said}`
    const answered = reason !== undefined || !silentKinds.has(String(kind))
    if (answered || this.lastFailure?.answered !== true) {
      this.lastFailure = { words, atMs: this.#options.clock.now(), answered }
    }
    if (kind === 'account') this.account = words
    return words
  }

  /** Reports replies from a model other than the requested one, once per name. */
  noteModel(asked: string, model: string): void {
    if (this.#models.has(model) || this.#models.size >= modelsMax) return
    this.#models.add(model)
    if (!isSameModel(asked, model)) this.#options.onNote(`replies come from model '${model}', not '${asked}'`)
  }

  /** Stops sending to this endpoint until its probe passes. */
  markDown(words: string): void {
    if (this.#down !== null) return
    const nowMs = this.#options.clock.now()
    this.#down = { sinceMs: nowMs }
    this.health.troubleSinceMs ??= nowMs
    this.#options.onChange(this, 'down', words)
    this.#startLoop(() => this.#probe())
  }

  /** Runs work that uses this endpoint: it is not closed by `retire` before the work is done. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#uses++
    try {
      return await work()
    } finally {
      if (--this.#uses === 0) this.#onUnused?.()
    }
  }

  /** Closes it after the last use. The caller starts no further one. */
  async retire(): Promise<void> {
    if (this.#uses > 0) {
      await new Promise<void>((resolve) => {
        this.#onUnused = resolve
      })
    }
    await this.close()
  }

  /** Stops polling and probing; aborting requests in flight is up to their senders. */
  async close(): Promise<void> {
    this.#closing.abort(new DOMException('closed', 'AbortError'))
    await Promise.all(this.#loops)
    await this.client.close()
  }

  async #probe(): Promise<void> {
    const { clock } = this.#options
    for (let waitMs = probeWaitMs; ; waitMs = Math.min(probeWaitMaxMs, 2 * waitMs)) {
      const heldMs = this.#pacer.heldUntilMs(clock.now()) - clock.now()
      await clock.sleep(Math.max(waitMs, heldMs), this.#closing.signal)
      if (await this.#passesProbe()) break
    }
    this.#downBeforeMs = this.downMs(clock.now())
    this.#down = null
    this.account = null
    this.health.noteProbePassed()
    this.limiter.restart()
    this.#kv.restart()
    this.#pacer.reset()
    this.#inFlightPassed = 0
    this.#options.onChange(this, 'up', 'responds again')
  }

  /** Sends `/health` and a request, since proxies respond to `/health` for dead servers. */
  async #passesProbe(): Promise<boolean> {
    return this.succeedsWithin(probeDeadlineMs, async (signal) => {
      const { status, text } = await this.client.fetch('/health', { headers: this.#options.headers, signal })
      if (status >= 500 && status !== 501) throw failureOfStatus(status, text, { endpoint: this.label })
      try {
        await this.#options.canary(this, signal)
      } catch (error) {
        if (error instanceof ServerError && error.details.kind === 'busy') {
          const waitMs = Math.max(probeRefusedWaitMs, Number(error.details.retryAfterMs ?? 0))
          this.#pacer.hold(this.#options.clock.now() + waitMs)
        }
        throw error
      }
      return true
    })
  }

  async #poll(): Promise<void> {
    const { clock } = this.#options
    for (let failures = 0; failures < pollFailuresMax; ) {
      await clock.sleep(pollMs, this.#closing.signal)
      if (this.#down !== null) continue
      const seen = await this.succeedsWithin(pollDeadlineMs, async (signal) => {
        const { status, text } = await this.client.fetch('/metrics', { headers: this.#options.headers, signal })
        const figures = status === 200 ? parseServerMetrics(text, clock.now()) : null
        if (figures === null) return false
        this.figures = figures
        this.limiter.noteSample(figures, this.inFlight)
        this.#kv.noteSample(figures)
        return true
      })
      failures = seen ? 0 : failures + 1
      if (seen) this.#options.onChange(this, 'room', 'looked')
    }
    this.figures = null
    this.limiter = this.#options.fallback()
    this.#kv.restart()
    this.#options.onChange(this, 'room', 'metrics stopped: limited by goodput')
  }

  /** Returns false if `attempt` fails or takes longer: a failed probe is a result, and its text is stored. */
  async succeedsWithin(deadlineMs: number, attempt: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
    try {
      return await this.withDeadline(deadlineMs, attempt)
    } catch (error) {
      this.#closing.signal.throwIfAborted()
      this.recordFailure(error)
      return false
    }
  }

  /** @throws {ServerError} `attempt` takes longer; also the error of `attempt`, or the reason why it was closed */
  async withDeadline<T>(deadlineMs: number, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const over = new AbortController()
    setMaxListeners(0, over.signal)
    const stop = () => over.abort(this.#closing.signal.reason)
    this.#closing.signal.addEventListener('abort', stop, { once: true })
    const settled = new AbortController()
    const timer = this.#options.clock.sleep(deadlineMs, settled.signal).then(
      () => over.abort(noAnswer(deadlineMs)),
      () => undefined, // the attempt settled first
    )
    try {
      this.#closing.signal.throwIfAborted()
      return await attempt(over.signal)
    } finally {
      settled.abort()
      this.#closing.signal.removeEventListener('abort', stop)
      await timer
    }
  }

  #startLoop(loop: () => Promise<void>): void {
    const running = loop()
      .catch((error) => {
        if (!this.#closing.signal.aborted) throw error
      })
      .finally(() => this.#loops.delete(running))
    this.#loops.add(running)
  }
}

function noAnswer(deadlineMs: number): ServerError {
  const words = `no response within ${deadlineMs / 1000} s`
  return new ServerError(words, { details: { kind: 'deadline', words } })
}
