/**
 * Brings waiting calls and free slots together: takes the next call in order of service, picks its endpoint, sends,
 * gives the slot back at the reply, and asks again what a server failed. Deadlines and outages are watched here;
 * replies are kept and judged by servers.ts.
 */

import { setMaxListeners } from 'node:events'
import type { Clock, Position } from '../../core/types.js'
import { AbortedError, EndpointError, type KunStreamError, RequestRefusedError, ServerError } from '../../errors.js'
import type { Outcome, Reply } from '../../storage/replies/types.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { ServerOptions } from '../options.js'
import type { Transfer } from '../protocol/client.js'
import { type FailureKind, shorten } from '../protocol/failures.js'
import type { RateLimits } from '../protocol/rate-limits.js'
import type { Call } from '../types.js'
import { Controls, weakControlDecides } from './control-requests.js'
import { formOf, type Lane, type Passage, type SentModel, Ticket } from './pending-request.js'
import { transferOf, withFitting } from './request-batches.js'
import { type FormPasses, RequestForms } from './request-check.js'
import { BackOff, isSuspect } from './retry-queue.js'
import { chooseEndpoint, nearCall } from './routing.js'
import { deadlineOver, endOf } from './time-limits.js'
import { type Candidate, goesBefore, UnreleasedRecords } from './waiting-queue.js'

/** Deadlines, due retries and outages are looked at so often, ms. */
const tickMs = 100
/** Calls at the head of a queue looked at for one that did not fail at the only endpoint with room. */
const elsewhereCallsMax = 16

/** Failures that may mean that the request crashed the server. */
const harmfulKinds: ReadonlySet<FailureKind> = new Set(['connection', 'stream', 'deadline'])

/** What the dispatcher needs from outside: time, chance, limits. */
export interface DispatchOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly servers: ServerOptions
  readonly formPasses: FormPasses
}

/** Brings waiting calls to endpoints with room, oldest record first, and asks again what a server failed. */
export class Dispatch {
  readonly #options: DispatchOptions
  readonly records = new UnreleasedRecords()
  readonly lanes: Lane[] = []
  readonly #passages = new Set<Passage>()
  readonly #backingOff: BackOff
  readonly #signals = new WeakSet<AbortSignal>()
  readonly #forms: RequestForms
  readonly #controls: Controls
  readonly #ticking = new AbortController()
  #tick: Promise<void> | null = null
  #stopped: KunStreamError | null = null
  #idle: (() => void)[] = []
  #pumping = false
  retries = 0

  constructor(options: DispatchOptions) {
    this.#options = options
    setMaxListeners(0, this.#ticking.signal)
    this.#backingOff = new BackOff(options.clock, options.random)
    this.#controls = new Controls(options.clock, options.formPasses)
    this.#forms = new RequestForms((...asked) => this.#controls.passes(...asked))
  }

  /** Calls waiting for a slot or a retry. */
  get waiting(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.queue.size, this.#backingOff.size)
  }

  submit(call: Call, model: SentModel, body: () => Record<string, unknown>, key = ''): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (call.signal.aborted) return reject(call.signal.reason)
      if (this.#stopped !== null) return reject(this.#stopped)
      this.#watch(call.signal)
      this.records.asked(call.position)
      const { lane } = model
      if (lane.pending++ === 0) lane.progressAtMs = this.#options.clock.now()
      lane.deadlineMs = Math.max(lane.deadlineMs, model.options.deadlineMs)
      const ended = () => {
        lane.pending--
        lane.progressAtMs = this.#options.clock.now()
        if (ticket.failures > 0) lane.failing--
        this.#returned(ticket)
      }
      const settle = (outcome: Outcome) => {
        ended()
        resolve(outcome)
      }
      const fail = (error: unknown) => {
        ended()
        reject(error)
      }
      const ticket = new Ticket(call, model, body, key, settle, fail)
      this.#enqueue(ticket)
      this.#tick ??= this.#ticks()
      this.pump()
    })
  }

  released(position: Position): void {
    this.records.released(position)
  }

  /** Sends as long as a call waits and an endpoint has room for it. */
  pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      const nowMs = this.#options.clock.now()
      const elsewhere: Ticket[] = []
      for (let next = this.#next(nowMs); next !== null; next = this.#next(nowMs)) {
        const { ticket, free } = next
        // Better asked where it failed than room left empty for want of others.
        const anywhere = elsewhere.length >= elsewhereCallsMax ? (free[0] as Endpoint) : null
        const endpoint = chooseEndpoint(ticket, free, nowMs) ?? anywhere
        if (endpoint === null) elsewhere.push(ticket)
        else void this.#send(withFitting(ticket), endpoint)
      }
      for (const ticket of elsewhere) this.#enqueue(ticket)
    } finally {
      this.#pumping = false
    }
  }

  /** Rejects what waits; what is under way finishes. */
  async drain(): Promise<void> {
    this.#stopped ??= new AbortedError('The run drains: no further request is sent')
    this.#rejectWaiting(() => true, this.#stopped)
    while (this.#passages.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Stops for good: what waits and what is under way fail with `error`. */
  stop(error: KunStreamError): void {
    this.#stopped ??= error
    this.#rejectWaiting(() => true, error)
    for (const passage of this.#passages) passage.controller.abort(error)
  }

  async close(): Promise<void> {
    this.stop(new AbortedError('The model servers were closed'))
    this.#ticking.abort(new DOMException('closed', 'AbortError'))
    await this.#tick
  }

  #enqueue(ticket: Ticket): void {
    const { position, stageOrder } = ticket.call
    ticket.model.lane.queue.push(ticket, position, stageOrder, this.#options.clock.now())
  }

  /** The next call of all lanes with room somewhere, taken out of its queue. */
  #next(nowMs: number): { ticket: Ticket; free: Endpoint[] } | null {
    let best: { lane: Lane; candidate: Candidate<Ticket>; free: Endpoint[] } | null = null
    for (const lane of this.lanes) {
      if (lane.queue.size === 0) continue
      const free = lane.endpoints.filter((endpoint) => endpoint.room(nowMs) > 0)
      for (const endpoint of lane.endpoints) if (!free.includes(endpoint)) endpoint.pressed(nowMs)
      const candidate = free.length === 0 ? null : lane.queue.best(nowMs)
      if (candidate === null) continue
      if (best === null || goesBefore(candidate, best.candidate)) best = { lane, candidate, free }
    }
    if (best === null) return null
    const { lane, candidate, free } = best
    const near = candidate.rank === 2 ? nearCall(lane, candidate.value, free) : null
    if (near === null && !lane.queue.take(candidate)) return null
    return { ticket: near ?? candidate.value, free }
  }

  async #send(tickets: readonly Ticket[], endpoint: Endpoint, alone: Passage['alone'] = null): Promise<void> {
    const passage = this.#depart(tickets, endpoint, alone)
    try {
      const onLimits = (limits: RateLimits) => {
        passage.limits = limits
      }
      const transfer: Transfer = Object.assign(transferOf(tickets, endpoint), { onLimits })
      const replies = await endpoint.client.send(transfer, passage.controller.signal)
      this.#arrive(passage, null)
      this.#settle(passage, replies)
    } catch (error) {
      if (this.#passages.has(passage)) this.#arrive(passage, error)
      await this.#failed(passage, error)
    }
    this.pump()
    if (this.#passages.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #depart(tickets: readonly Ticket[], endpoint: Endpoint, alone: Passage['alone']): Passage {
    const nowMs = this.#options.clock.now()
    const request = endpoint.departs(tickets.length, nowMs)
    const passage: Passage = {
      tickets,
      endpoint,
      controller: new AbortController(),
      sentAtMs: nowMs,
      request,
      inFlight: endpoint.inFlight,
      limits: null,
      isPaced: false,
      downMs: endpoint.downMs(nowMs),
      deadlineMs: (tickets[0] as Ticket).model.options.deadlineMs,
      alone,
    }
    ;(tickets[0] as Ticket).model.lane.inFlight++
    for (const ticket of tickets) endpoint.health.sent(ticket.suspicion, nowMs)
    this.#passages.add(passage)
    return passage
  }

  /** The slot is free at the reply, before anything is done with it. */
  #arrive(passage: Passage, failure: unknown): void {
    this.#passages.delete(passage)
    passage.endpoint.arrived(passage, failure)
    ;(passage.tickets[0] as Ticket).model.lane.inFlight--
  }

  #settle({ tickets, endpoint, sentAtMs }: Passage, replies: readonly Reply[]): void {
    for (const [place, ticket] of tickets.entries()) {
      const reply = replies[place] as Reply
      const { call, model, body } = ticket
      formOf(model, call.stage).control = { call, body }
      model.lane.good = { call, model }
      model.lane.weakVerdicts = 0
      endpoint.succeeded(call.record, sentAtMs, reply, ticket.suspicion)
      if (ticket.letOut) model.lane.suspectEnded(true)
      ticket.settle({ reply })
    }
  }

  /** A request of this form succeeded in an earlier process: usable as a control. */
  knownGood(call: Call, model: SentModel, body: () => Record<string, unknown>): void {
    formOf(model, call.stage).control ??= { call, body }
    model.lane.good ??= { call, model }
  }

  async #failed(passage: Passage, error: unknown): Promise<void> {
    const { tickets, endpoint, controller } = passage
    const cause = controller.signal.aborted ? controller.signal.reason : error
    const kind = cause instanceof ServerError ? (cause.details.kind as FailureKind) : null
    if (tickets.length > 1 && (kind !== null ? kind !== 'busy' : cause instanceof RequestRefusedError)) {
      // One bad prompt fails a whole list: halves go out on the same slots until it is alone.
      if (!endpoint.isDown && this.#stopped === null) {
        const middle = tickets.length >> 1
        await Promise.all([this.#send(tickets.slice(0, middle), endpoint), this.#send(tickets.slice(middle), endpoint)])
        return
      }
    }
    for (const ticket of tickets) {
      try {
        if (ticket.call.signal.aborted) ticket.reject(ticket.call.signal.reason)
        else if (cause instanceof RequestRefusedError) await this.#refused(ticket, passage, cause)
        else if (cause instanceof ServerError && kind !== null) await this.#serverFailed(ticket, passage, cause, kind)
        else ticket.reject(cause)
      } catch (failure) {
        // Closed while a control request was on its way.
        ticket.reject(this.#stopped ?? failure)
      }
    }
  }

  /** An overlong text or moderation concerns this record only; any other refusal only if the form is accepted. */
  async #refused(ticket: Ticket, passage: Passage, error: RequestRefusedError): Promise<void> {
    const reason = String(error.details.reason)
    const words = String(error.details.words)
    const isOfRecord = reason === 'context-length' || reason === 'content-refused'
    if (!isOfRecord && !(await this.#formPasses(ticket, passage, error))) return
    ticket.settle({ verdict: { reason: reason === 'field' ? 'refused' : reason, detail: shorten(words) } })
  }

  /** Whether a stage's requests are such that the server takes them; if not, every record would be refused. */
  async #formPasses(ticket: Ticket, passage: Passage, error: RequestRefusedError | ServerError): Promise<boolean> {
    const { call, model } = ticket
    const { endpoint } = passage
    try {
      if (await this.#forms.passes(call, model, endpoint)) return true
    } catch (failure) {
      const kind = failure instanceof ServerError ? (failure.details.kind as FailureKind) : null
      if (kind === null) ticket.reject(failure)
      else await this.#serverFailed(ticket, passage, failure as ServerError, kind)
      return false
    }
    if (formOf(model, call.stage).control !== null || (await this.#refusesGood(model.lane, endpoint))) {
      // The server accepted it before and may accept it again: not a verdict on a record.
      endpoint.takeOut(endpoint.heard(error))
      this.#retry(ticket, endpoint, 0)
      return false
    }
    const words = String(error.details.words ?? error.message)
    const message = `${endpoint.label} takes no request of stage '${call.stage}': ${words}. Change its sampling fields`
    this.stop(new EndpointError(message, { details: error.details }))
    ticket.reject(this.#stopped)
    return false
  }

  /** Whether a server now fails a request that succeeded in another stage: the trouble is then not this stage's form. */
  async #refusesGood({ good }: Lane, endpoint: Endpoint): Promise<boolean> {
    if (good === null) return false
    try {
      return !(await this.#forms.passes(good.call, good.model, endpoint))
    } catch (failure) {
      if (failure instanceof ServerError) return true
      throw failure
    }
  }

  async #serverFailed(ticket: Ticket, passage: Passage, error: ServerError, kind: FailureKind): Promise<void> {
    const { endpoint, alone } = passage
    const { call, model, suspicion } = ticket
    const words = endpoint.heard(error)
    if (kind === 'access' && !(await this.#mayAccess(ticket, passage, error))) return
    const retryAfterMs = Number(error.details.retryAfterMs ?? 0)
    // If the control passed, a failure is not evidence against the server.
    if (alone !== 'passed') endpoint.failed(call.record, kind, passage.isPaced, words)
    ticket.failedAs = kind
    const isEvidence = await this.#judge(ticket, passage, kind)
    if (ticket.letOut && (harmfulKinds.has(kind) || isEvidence)) model.lane.suspectEnded(!harmfulKinds.has(kind))
    if (suspicion.guilty) {
      if (alone === 'weak') model.lane.weakVerdicts++
      const reason = kind === 'deadline' ? 'deadline' : 'server-error'
      return ticket.settle({ verdict: { reason, detail: shorten(words) } })
    }
    if (this.#stopped !== null) return ticket.reject(this.#stopped)
    this.#retry(ticket, endpoint, retryAfterMs)
  }

  /** Adds a failure to the evidence against a record; returns whether it counts. */
  async #judge(ticket: Ticket, { endpoint, alone }: Passage, kind: FailureKind): Promise<boolean> {
    const { call, model, suspicion } = ticket
    const { health } = endpoint
    if (alone === null) {
      if (health.suspect(call.record, kind, suspicion, this.#options.clock.now())) return true
      // Hanging records cannot be tried alone one by one: their deadlines would add up to hours.
      if (kind !== 'deadline' || endpoint.isDown || this.#stopped !== null) return false
    }
    if (alone !== null) health.tried(suspicion, kind, this.#options.clock.now())
    // "Full" may refer to the control sent before: the control sent after must pass.
    const before = alone === null || alone === 'unknown' || kind === 'busy' ? null : alone
    const control = before ?? (await this.#controls.ask(ticket, endpoint))
    if (control === 'failed' || (control === 'weak' && !weakControlDecides(model.lane))) return false
    health.suspectAlone(kind, suspicion)
    return true
  }

  /** Before the first reply, refused access may mean a wrong key or name: an error of the recipe, not of the record. */
  async #mayAccess(ticket: Ticket, passage: Passage, error: ServerError): Promise<boolean> {
    const { call, model } = ticket
    if ([...model.forms.values()].some(({ control }) => control !== null)) return true
    try {
      if (await this.#forms.passes(call, model, passage.endpoint)) return true
    } catch (failure) {
      if (!(failure instanceof ServerError)) throw failure
      if (failure.details.kind !== 'access') return true
    }
    this.stop(new EndpointError(error.message, { details: error.details }))
    ticket.reject(this.#stopped)
    return false
  }

  /** The same request under the same key; its slot is free meanwhile. An open circuit is wait enough. */
  #retry(ticket: Ticket, endpoint: Endpoint, retryAfterMs: number): void {
    this.retries++
    if (ticket.failures++ === 0) ticket.model.lane.failing++
    this.#returned(ticket)
    // An endpoint that is down gets no calls; once it is back, it has no failures against it.
    ticket.avoid = endpoint.isDown ? null : endpoint
    if (endpoint.isDown && !isSuspect(ticket)) {
      this.#enqueue(ticket)
      return
    }
    this.#backingOff.add(ticket, endpoint, retryAfterMs)
  }

  /** Called when a released suspect came back or settled. */
  #returned(ticket: Ticket): void {
    if (ticket.letOut) ticket.model.lane.suspectsOut--
    ticket.letOut = false
  }

  /** Sends the next suspect alone, after a control request, if nothing else is in flight or can be sent. */
  async #tryAlone(lane: Lane, ticket: Ticket): Promise<void> {
    const nowMs = this.#options.clock.now()
    const up = lane.endpoints.filter((endpoint) => endpoint.room(nowMs) > 0)
    const endpoint = up.find((each) => each !== ticket.avoid) ?? up[0]
    if (endpoint === undefined) return
    lane.isTrying = true
    try {
      const control = ticket.failedAs === 'busy' ? 'unknown' : await this.#controls.ask(ticket, endpoint)
      if (control === 'failed') endpoint.takeOut(endpoint.lastHeard?.words ?? 'a request that passed before fails')
      else if (this.#backingOff.take(ticket)) await this.#send([ticket], endpoint, control)
    } catch (failure) {
      // Closed meanwhile: the ticket is rejected with all waiting ones.
      if (this.#stopped === null) throw failure
    } finally {
      lane.isTrying = false
    }
  }

  async #ticks(): Promise<void> {
    const { clock } = this.#options
    try {
      for (;;) {
        await clock.sleep(tickMs, this.#ticking.signal)
        if (this.#passages.size + this.waiting > 0) this.#look(clock.now())
        // Trouble is time with work at hand.
        else for (const lane of this.lanes) for (const { health } of lane.endpoints) health.troubleSinceMs = null
      }
    } catch (error) {
      if (!this.#ticking.signal.aborted) throw error
    }
  }

  #look(nowMs: number): void {
    for (const passage of this.#passages) {
      const over = deadlineOver(passage, nowMs)
      if (over !== null) passage.controller.abort(over)
    }
    for (const ticket of this.#backingOff.takeDue(nowMs)) this.#enqueue(ticket)
    for (const lane of this.lanes) {
      const end = endOf(lane, nowMs, this.#options.servers.outageMaxMs)
      if (end !== null) this.stop(end)
    }
    this.pump()
    for (const lane of this.lanes) {
      if (lane.isTrying || lane.inFlight > 0 || lane.queue.size > 0) continue
      const suspect = this.#backingOff.firstSuspect(lane, nowMs)
      if (suspect !== null) void this.#tryAlone(lane, suspect)
    }
  }

  #watch(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return
    this.#signals.add(signal)
    const abort = () => {
      this.#rejectWaiting((ticket) => ticket.call.signal === signal, signal.reason)
      for (const passage of this.#passages) {
        if (passage.tickets.every((ticket) => ticket.call.signal.aborted)) passage.controller.abort(signal.reason)
      }
    }
    signal.addEventListener('abort', abort, { once: true, signal: this.#ticking.signal })
  }

  #rejectWaiting(leaves: (ticket: Ticket) => boolean, reason: unknown): void {
    const left = this.lanes.flatMap((lane) => lane.queue.takeAll(leaves))
    for (const ticket of [...left, ...this.#backingOff.takeAll(leaves)]) ticket.reject(reason)
  }
}
