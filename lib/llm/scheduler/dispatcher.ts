/**
 * Assigns waiting calls to free slots: takes the next call in order of service, chooses its endpoint, sends it, frees
 * the slot at the reply, and retries what a server failed. Enforces deadlines and outage limits. Replies are stored
 * and checked for faults by model-servers.ts.
 */

import { setMaxListeners } from 'node:events'
import type { Clock, Position } from '../../core/types.js'
import { AbortedError, EndpointError, type KunStreamError, RequestRefusedError, ServerError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { CallResult, Reply } from '../../storage/replies/types.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { ServerOptions } from '../options.js'
import type { WireRequest } from '../protocol/client.js'
import { type FailureKind, shorten } from '../protocol/failures.js'
import type { RateLimits } from '../protocol/rate-limits.js'
import type { Call } from '../types.js'
import { ControlRequests, weakControlDecides } from './control-requests.js'
import {
  type EndpointGroup,
  formState,
  PendingRequest,
  type ScheduledModel,
  type SentBatch,
} from './pending-request.js'
import { takeBatch, wireRequest } from './request-batches.js'
import { RequestCheck } from './request-check.js'
import { isSuspect, RetryQueue } from './retry-queue.js'
import { chooseEndpoint, takeNearCall } from './routing.js'
import { StageWorkCounter } from './stage-work.js'
import { deadlineError, terminalError } from './time-limits.js'
import { type NextCall, precedes, UnreleasedRecords } from './waiting-queue.js'

/** Time between two checks of deadlines, due retries and outages, ms. */
const tickMs = 100
/** Calls examined at the head of a queue for one that did not fail at the only endpoint with free slots. */
const elsewhereCallsMax = 16

/** Failures that may mean that the request crashed the server. */
const harmfulKinds: ReadonlySet<FailureKind> = new Set(['connection', 'stream', 'deadline'])

/** Options for `Dispatcher`. */
interface DispatcherOptions {
  readonly clock: Clock
  readonly servers: ServerOptions
}

/** Sends waiting calls to endpoints with free slots, oldest record first, and retries what a server failed. */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly records = new UnreleasedRecords()
  readonly groups: EndpointGroup[] = []
  /** Requests and slot time by stage. */
  readonly work = new StageWorkCounter()
  readonly #batches = new Set<SentBatch>()
  readonly #retryQueue = new RetryQueue()
  readonly #signals = new WeakSet<AbortSignal>()
  readonly #forms: RequestCheck
  readonly #controls: ControlRequests
  readonly #ticking = new AbortController()
  #tick: Promise<void> | null = null
  #stopped: KunStreamError | null = null
  #idle: (() => void)[] = []
  #pumping = false
  #paused = false
  retryCount = 0

  constructor(options: DispatcherOptions) {
    this.#options = options
    setMaxListeners(0, this.#ticking.signal)
    this.#controls = new ControlRequests(options.clock)
    this.#forms = new RequestCheck((...asked) => this.#controls.passes(...asked))
  }

  /** Calls waiting for a slot or a retry. */
  get waiting(): number {
    return this.groups.reduce((sum, group) => sum + group.queue.size, this.#retryQueue.size)
  }

  /** Returns the number of the queue of a model. */
  laneOf({ group }: ScheduledModel): number {
    return this.groups.indexOf(group)
  }

  submit(call: Call, model: ScheduledModel, body: () => Record<string, unknown>, key = ''): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      if (call.signal.aborted) return reject(call.signal.reason)
      if (this.#stopped !== null) return reject(this.#stopped)
      this.#watchSignal(call.signal)
      this.records.add(call.position)
      const { group } = model
      if (group.pending++ === 0) group.progressAtMs = this.#options.clock.now()
      group.deadlineMs = Math.max(group.deadlineMs, model.options.deadlineMs)
      const ended = () => {
        group.pending--
        group.progressAtMs = this.#options.clock.now()
        if (request.failures > 0) group.failing--
        this.#leaveSuspectWindow(request)
      }
      const settle = (outcome: CallResult) => {
        ended()
        resolve(outcome)
      }
      const fail = (error: unknown) => {
        ended()
        reject(error)
      }
      const request = new PendingRequest(call, model, body, key, settle, fail)
      this.#enqueue(request)
      this.#tick ??= this.#ticks()
      this.pump()
    })
  }

  releaseUpTo(position: Position): void {
    this.records.releaseUpTo(position)
  }

  /** Sends waiting calls until no endpoint has a free slot for one. */
  pump(): void {
    if (this.#pumping || this.#paused) return
    this.#pumping = true
    try {
      const nowMs = this.#options.clock.now()
      const elsewhere: PendingRequest[] = []
      for (let next = this.#next(nowMs); next !== null; next = this.#next(nowMs)) {
        const { request, free } = next
        // Retry on the endpoint that failed rather than leave capacity idle.
        const anywhere = elsewhere.length >= elsewhereCallsMax ? (free[0] as Endpoint) : null
        const endpoint = chooseEndpoint(request, free, nowMs) ?? anywhere
        if (endpoint === null) elsewhere.push(request)
        else void this.#send(takeBatch(request), endpoint)
      }
      for (const request of elsewhere) this.#enqueue(request)
    } finally {
      this.#pumping = false
    }
  }

  /** Sends nothing more until `resume`; requests in flight finish. */
  pause(): void {
    this.#paused = true
  }

  /** Continues. The time of the pause counts neither as a stall nor as an outage. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    const nowMs = this.#options.clock.now()
    for (const group of this.groups) {
      group.progressAtMs = nowMs
      if (group.emptySinceMs !== null) group.emptySinceMs = nowMs
      for (const { health } of group.endpoints) if (health.troubleSinceMs !== null) health.troubleSinceMs = nowMs
    }
    this.pump()
  }

  /** Rejects waiting calls; requests in flight finish. */
  async drain(): Promise<void> {
    this.#stopped ??= new AbortedError(say`the run drains: no further request is sent`)
    this.#rejectWaiting(() => true, this.#stopped)
    while (this.#batches.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Rejects waiting calls and aborts requests in flight, all with `error`. */
  stop(error: KunStreamError): void {
    this.#stopped ??= error
    this.#rejectWaiting(() => true, error)
    for (const batch of this.#batches) batch.controller.abort(error)
  }

  async close(): Promise<void> {
    this.stop(new AbortedError(say`the model servers were closed`))
    this.#ticking.abort(new DOMException('closed', 'AbortError'))
    await this.#tick
  }

  #enqueue(request: PendingRequest): void {
    const { position, stageOrder } = request.call
    request.model.group.queue.push(request, position, stageOrder, this.#options.clock.now())
  }

  /** Takes the next call of all groups that have free slots out of its queue. */
  #next(nowMs: number): { request: PendingRequest; free: Endpoint[] } | null {
    let best: { group: EndpointGroup; candidate: NextCall<PendingRequest>; free: Endpoint[] } | null = null
    for (const group of this.groups) {
      if (group.queue.size === 0) continue
      const free = group.endpoints.filter((endpoint) => endpoint.capacity(nowMs) > 0)
      for (const endpoint of group.endpoints) if (!free.includes(endpoint)) endpoint.noteWaiting(nowMs)
      const candidate = free.length === 0 ? null : group.queue.next(nowMs)
      if (candidate === null) continue
      if (best === null || precedes(candidate, best.candidate)) best = { group, candidate, free }
    }
    if (best === null) return null
    const { group, candidate, free } = best
    const near = candidate.rank === 2 ? takeNearCall(group, candidate.value, free) : null
    if (near === null && !group.queue.take(candidate)) return null
    return { request: near ?? candidate.value, free }
  }

  async #send(
    requests: readonly PendingRequest[],
    endpoint: Endpoint,
    alone: SentBatch['alone'] = null,
  ): Promise<void> {
    await endpoint.use(() => this.#sendBatch(this.#takeSlots(requests, endpoint, alone)))
    this.pump()
    if (this.#batches.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #sendBatch(batch: SentBatch): Promise<void> {
    const { requests, endpoint } = batch
    try {
      const onLimits = (limits: RateLimits) => {
        batch.limits = limits
      }
      const transfer: WireRequest = Object.assign(wireRequest(requests, endpoint), { onLimits })
      const replies = await endpoint.client.send(transfer, batch.controller.signal)
      this.#releaseSlots(batch, null)
      this.#settle(batch, replies)
    } catch (error) {
      if (this.#batches.has(batch)) this.#releaseSlots(batch, error)
      await this.#failed(batch, error)
    }
  }

  #takeSlots(requests: readonly PendingRequest[], endpoint: Endpoint, alone: SentBatch['alone']): SentBatch {
    const nowMs = this.#options.clock.now()
    const units = requests.reduce((sum, { promptUnits }) => sum + promptUnits, 0)
    const batch: SentBatch = {
      requests,
      endpoint,
      controller: new AbortController(),
      sentAtMs: nowMs,
      ...endpoint.takeSlots(requests.length, units, nowMs),
      limits: null,
      isPaced: false,
      downMs: endpoint.downMs(nowMs),
      deadlineMs: (requests[0] as PendingRequest).model.options.deadlineMs,
      alone,
    }
    ;(requests[0] as PendingRequest).model.group.inFlight++
    for (const request of requests) endpoint.health.noteSent(request.suspicion, nowMs)
    this.#batches.add(batch)
    return batch
  }

  /** Frees the slots as soon as the response is received, before it is processed. */
  #releaseSlots(batch: SentBatch, failure: unknown): void {
    this.#batches.delete(batch)
    batch.endpoint.releaseSlots(batch, failure)
    const [{ call, model }] = batch.requests as [PendingRequest]
    model.group.inFlight--
    const tookMs = this.#options.clock.now() - batch.sentAtMs
    this.work.finished(call.stage, this.laneOf(model), batch.requests.length, tookMs, failure === null)
  }

  #settle({ requests, endpoint, sentAtMs }: SentBatch, replies: readonly Reply[]): void {
    for (const [place, request] of requests.entries()) {
      const reply = replies[place] as Reply
      const { call, model, body } = request
      formState(model, call.stage).control = { call, body }
      model.group.good = { call, model }
      model.group.weakVerdicts = 0
      endpoint.noteSuccess(request, sentAtMs, reply)
      if (request.inSuspectWindow) model.group.adjustSuspectWindow(true)
      request.settle({ reply })
    }
  }

  /** Records that a request of this form succeeded in an earlier process: it can serve as a control. */
  noteKnownGood(call: Call, model: ScheduledModel, body: () => Record<string, unknown>): void {
    formState(model, call.stage).control ??= { call, body }
    model.group.good ??= { call, model }
  }

  async #failed(batch: SentBatch, error: unknown): Promise<void> {
    const { requests, endpoint, controller } = batch
    const cause = controller.signal.aborted ? controller.signal.reason : error
    const kind = cause instanceof ServerError ? (cause.details.kind as FailureKind) : null
    if (requests.length > 1 && (kind !== null ? kind !== 'busy' : cause instanceof RequestRefusedError)) {
      // One bad prompt fails the whole list: bisect it on the same slots.
      if (!endpoint.isDown && this.#stopped === null) {
        const middle = requests.length >> 1
        await Promise.all([
          this.#send(requests.slice(0, middle), endpoint),
          this.#send(requests.slice(middle), endpoint),
        ])
        return
      }
    }
    for (const request of requests) {
      try {
        if (request.call.signal.aborted) request.reject(request.call.signal.reason)
        else if (cause instanceof RequestRefusedError) await this.#refused(request, batch, cause)
        else if (cause instanceof ServerError && kind !== null) await this.#serverFailed(request, batch, cause, kind)
        else request.reject(cause)
      } catch (failure) {
        // Closed while a control request was in flight.
        request.reject(this.#stopped ?? failure)
      }
    }
  }

  /** An overlong text or moderation concerns this record only; any other refusal only if the form is accepted. */
  async #refused(request: PendingRequest, batch: SentBatch, error: RequestRefusedError): Promise<void> {
    const reason = String(error.details.reason)
    const words = String(error.details.words)
    const isOfRecord = reason === 'context-length' || reason === 'content-refused'
    if (!isOfRecord && !(await this.#formPasses(request, batch, error))) return
    request.settle({ verdict: { reason: reason === 'field' ? 'refused' : reason, detail: shorten(words) } })
  }

  /** Whether the server accepts the form of this stage's requests. Stops the run if it does not. */
  async #formPasses(
    request: PendingRequest,
    batch: SentBatch,
    error: RequestRefusedError | ServerError,
  ): Promise<boolean> {
    const { call, model } = request
    const { endpoint } = batch
    try {
      if (await this.#forms.isAccepted(call, model, endpoint)) return true
    } catch (failure) {
      const kind = failure instanceof ServerError ? (failure.details.kind as FailureKind) : null
      if (kind === null) request.reject(failure)
      else await this.#serverFailed(request, batch, failure as ServerError, kind)
      return false
    }
    if (formState(model, call.stage).control !== null || (await this.#refusesGood(model.group, endpoint))) {
      // The server accepted it before and may accept it again: not a verdict on a record.
      endpoint.markDown(endpoint.recordFailure(error))
      this.#retry(request, endpoint, 0)
      return false
    }
    const words = String(error.details.words ?? error.message)
    const message = `${endpoint.label} accepts no request of stage '${call.stage}': ${words}. Change its sampling fields`
    this.stop(new EndpointError(message, { details: error.details }))
    request.reject(this.#stopped)
    return false
  }

  /** Whether the server now fails a request that succeeded in another stage: then this stage's form is not the cause. */
  async #refusesGood({ good }: EndpointGroup, endpoint: Endpoint): Promise<boolean> {
    if (good === null) return false
    try {
      return !(await this.#forms.isAccepted(good.call, good.model, endpoint))
    } catch (failure) {
      if (failure instanceof ServerError) return true
      throw failure
    }
  }

  async #serverFailed(request: PendingRequest, batch: SentBatch, error: ServerError, kind: FailureKind): Promise<void> {
    const { endpoint, alone } = batch
    const { call, model, suspicion } = request
    const words = endpoint.recordFailure(error)
    if (kind === 'access' && !(await this.#isAccessOfRecord(request, batch, error))) return
    const retryAfterMs = Number(error.details.retryAfterMs ?? 0)
    // If the control passed, a failure is not evidence against the server.
    if (alone !== 'passed') endpoint.noteFailure(call.record, kind, batch.isPaced, words)
    request.lastFailure = kind
    const isEvidence = await this.#addEvidence(request, batch, kind)
    if (request.inSuspectWindow && (harmfulKinds.has(kind) || isEvidence))
      model.group.adjustSuspectWindow(!harmfulKinds.has(kind))
    if (suspicion.isGuilty) {
      if (alone === 'weak') model.group.weakVerdicts++
      const reason = kind === 'deadline' ? 'deadline' : 'server-error'
      return request.settle({ verdict: { reason, detail: shorten(words) } })
    }
    if (this.#stopped !== null) return request.reject(this.#stopped)
    this.#retry(request, endpoint, retryAfterMs)
  }

  /** Adds a failure to the evidence against a record; returns whether it counts. */
  async #addEvidence(request: PendingRequest, { endpoint, alone }: SentBatch, kind: FailureKind): Promise<boolean> {
    const { call, model, suspicion } = request
    const { health } = endpoint
    if (alone === null) {
      if (health.addEvidence(call.record, kind, suspicion, this.#options.clock.now())) return true
      // Hanging records cannot be tried alone one by one: their deadlines would add up to hours.
      if (kind !== 'deadline' || endpoint.isDown || this.#stopped !== null) return false
    }
    if (alone !== null) health.noteAttempt(suspicion, kind, this.#options.clock.now())
    // "Full" may refer to the control sent before: the control sent after must pass.
    const before = alone === null || alone === 'unknown' || kind === 'busy' ? null : alone
    const control = before ?? (await this.#controls.send(request, endpoint))
    if (control === 'failed' || (control === 'weak' && !weakControlDecides(model.group))) return false
    health.addEvidenceAlone(kind, suspicion)
    return true
  }

  /** Before the first reply, refused access may mean a wrong key or name: an error of the recipe, not of the record. */
  async #isAccessOfRecord(request: PendingRequest, batch: SentBatch, error: ServerError): Promise<boolean> {
    const { call, model } = request
    if ([...model.forms.values()].some(({ control }) => control !== null)) return true
    try {
      if (await this.#forms.isAccepted(call, model, batch.endpoint)) return true
    } catch (failure) {
      if (!(failure instanceof ServerError)) throw failure
      if (failure.details.kind !== 'access') return true
    }
    this.stop(new EndpointError(error.message, { details: error.details }))
    request.reject(this.#stopped)
    return false
  }

  /** Schedules a retry under the same key, without a slot. While the endpoint is down, its probe is the back-off. */
  #retry(request: PendingRequest, endpoint: Endpoint, retryAfterMs: number): void {
    this.retryCount++
    if (request.failures++ === 0) request.model.group.failing++
    this.#leaveSuspectWindow(request)
    // An endpoint that is down gets no calls; once it is back, it has no failures against it.
    request.failedAt = endpoint.isDown ? null : endpoint
    if (endpoint.isDown && !isSuspect(request)) {
      this.#enqueue(request)
      return
    }
    this.#retryQueue.add(request, endpoint, retryAfterMs, this.#options.clock.now())
  }

  /** Frees the slot of a suspect that failed again or was settled. */
  #leaveSuspectWindow(request: PendingRequest): void {
    if (request.inSuspectWindow) request.model.group.suspectWindowUsed--
    request.inSuspectWindow = false
  }

  /** Sends the next suspect alone, after a control request, if nothing else is in flight or can be sent. */
  async #sendAlone(group: EndpointGroup, request: PendingRequest): Promise<void> {
    const nowMs = this.#options.clock.now()
    const up = group.endpoints.filter((endpoint) => endpoint.capacity(nowMs) > 0)
    const endpoint = up.find((each) => each !== request.failedAt) ?? up[0]
    if (endpoint === undefined) return
    group.isTryingAlone = true
    try {
      const control =
        request.lastFailure === 'busy' ? 'unknown' : await endpoint.use(() => this.#controls.send(request, endpoint))
      if (control === 'failed')
        endpoint.markDown(endpoint.lastFailure?.words ?? 'a request that succeeded before fails')
      else if (this.#retryQueue.take(request)) await this.#send([request], endpoint, control)
    } catch (failure) {
      // Closed meanwhile: the request is rejected with the other waiting ones.
      if (this.#stopped === null) throw failure
    } finally {
      group.isTryingAlone = false
    }
  }

  async #ticks(): Promise<void> {
    const { clock } = this.#options
    try {
      for (;;) {
        await clock.sleep(tickMs, this.#ticking.signal)
        if (this.#batches.size + this.waiting > 0) this.#checkLimits(clock.now())
        // Only time with pending work counts as trouble; reset it when idle.
        else for (const group of this.groups) for (const { health } of group.endpoints) health.troubleSinceMs = null
      }
    } catch (error) {
      if (!this.#ticking.signal.aborted) throw error
    }
  }

  #checkLimits(nowMs: number): void {
    for (const batch of this.#batches) {
      const over = deadlineError(batch, nowMs)
      if (over !== null) batch.controller.abort(over)
    }
    for (const request of this.#retryQueue.takeDue(nowMs)) this.#enqueue(request)
    if (this.#paused) return
    for (const group of this.groups) {
      const end = terminalError(group, nowMs, this.#options.servers.outageMaxMs)
      if (end !== null) this.stop(end)
    }
    this.pump()
    for (const group of this.groups) {
      if (group.isTryingAlone || group.inFlight > 0 || group.queue.size > 0) continue
      const suspect = this.#retryQueue.firstSuspect(group, nowMs)
      if (suspect !== null) void this.#sendAlone(group, suspect)
    }
  }

  #watchSignal(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return
    this.#signals.add(signal)
    const abort = () => {
      this.#rejectWaiting((request) => request.call.signal === signal, signal.reason)
      for (const batch of this.#batches) {
        if (batch.requests.every((request) => request.call.signal.aborted)) batch.controller.abort(signal.reason)
      }
    }
    signal.addEventListener('abort', abort, { once: true, signal: this.#ticking.signal })
  }

  #rejectWaiting(leaves: (request: PendingRequest) => boolean, reason: unknown): void {
    const left = this.groups.flatMap((group) => group.queue.takeAll(leaves))
    for (const request of [...left, ...this.#retryQueue.takeAll(leaves)]) request.reject(reason)
  }
}
