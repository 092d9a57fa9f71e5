/**
 * The model servers of a run: opens each endpoint once and gives each stage its `Model`. Owns the path of a call
 * (stored reply, or queue, slot, retries, store, fault check) and the shutdown.
 */

import { asError } from '../../caught-error.js'
import { systemClock } from '../../core/clock.js'
import { mapConcurrent } from '../../core/concurrent.js'
import { ownValue } from '../../core/dictionary.js'
import { type EventLog, noLog } from '../../core/event-log.js'
import type { Clock, Position } from '../../core/types.js'
import { ContractError, ServerError } from '../../errors.js'
import type { Replies } from '../../storage/replies/replies.js'
import type { CallResult } from '../../storage/replies/types.js'
import { acceptedBody, assumedCapabilities, commonCapabilities } from '../endpoint/capabilities.js'
import type { ProbeMemory } from '../endpoint/probe-memory.js'
import { countTokens } from '../endpoint/tokenize.js'
import { type ModelInput, type ModelOptions, modelOptions, type ServerOptions, serverOptions } from '../options.js'
import { type Client, httpClient, requestHeaders } from '../protocol/client.js'
import { requestBody } from '../protocol/reply-body.js'
import { canonicalJson, replyKey, requestSeed } from '../protocol/request-identity.js'
import type { Answer, Call, Capabilities, Model } from '../types.js'
import { type AttemptResult, completeCall } from './complete-call.js'
import { Dispatcher } from './dispatcher.js'
import { EndpointFile } from './endpoint-file.js'
import {
  type EndpointMetrics,
  EndpointRegistry,
  type ModelUse,
  type OnServerEvent,
  type ServerEvent,
} from './endpoint-registry.js'
import { EndpointGroup, type FormState, type PendingRequest, type ScheduledModel } from './pending-request.js'
import type { StageWork } from './stage-work.js'
import { WaitingQueue } from './waiting-queue.js'

/** Requests for /tokenize in flight, time for one, its tries, and the wait between them, ms. */
const tokenizeConcurrentMax = 16
const tokenizeMaxMs = 30_000
const tokenizeTriesMax = 5
const tokenizeWaitMs = 1000

/** Options for `openServers`. */
export interface OpenServersOptions {
  /** Models by their names in the recipe. */
  readonly models: Readonly<Record<string, ModelInput>>
  /** The recipe's seed, from which the seed of each request is derived. */
  readonly seed: number
  readonly servers?: Partial<ServerOptions>
  readonly clock?: Clock
  /** Capabilities pinned in run.json, by model; an endpoint that lacks one is refused. */
  readonly pinned?: Readonly<Record<string, Capabilities>>
  /** Names of the models of which stages need the log-probabilities of prompts: probed for these only. */
  readonly readPrompts?: readonly string[]
  /** Whether to probe the servers at the start; true by default. Otherwise no capability is assumed. */
  readonly probe?: boolean
  /** Whether to ask servers only what a sample needs; false by default. */
  readonly briefProbe?: boolean
  /** Responses to probes of an earlier process, and those of this one. */
  readonly probeMemory?: ProbeMemory
  /** Receives events of endpoints, for the user. */
  readonly onEvent?: OnServerEvent
  /** Called with each answer that a server gave in this process; not with those served from stored replies. */
  readonly onAnswer?: (call: Call, answer: Answer) => void
  /** Receives server events, stored verdicts and rejected replies. */
  readonly log?: EventLog
  /** Opens the connections to an address; over HTTP by default. For benches on a virtual clock. */
  readonly connect?: (url: string, connectionsMax: number) => Client
}

/** State of all model servers; counts are of this process. */
export interface ServersMetrics {
  /** Calls waiting for a slot or a retry. */
  readonly waiting: number
  /** Requests retried after a failure of the server. */
  readonly retries: number
  /** Results served from stored replies, without a request. */
  readonly keptServed: number
  /** Tokens of the replies received; those served from disk do not count. */
  readonly tokens: number
  readonly endpoints: readonly EndpointMetrics[]
  /** Work by stage; a stage without a call so far is absent. */
  readonly stages: Readonly<Record<string, StageWork>>
}

/** The models of a run and their servers. */
export interface ModelServers {
  /** @throws {ContractError} no such model in the recipe. */
  model(name: string): Model
  /** Stores every reply in `replies` and serves later identical requests from there; until then, none are stored. */
  useReplies(replies: Replies): void
  /**
   * Returns the models with a store of replies of their own, for work that shares the servers with other work.
   *
   * @param from position of the first call
   */
  session(replies: Replies, from: Position): ServerSession
  /** Records that everything up to `position` has left the sink's window in order. */
  releaseUpTo(position: Position): void
  metrics(): ServersMetrics
  /** Returns how many requests may be in flight now, by the limits of all endpoints. */
  slots(): number
  /** Calls `listener` after each answer, with which `slots` may have changed. */
  onSlots(listener: () => void): void
  /** Returns the tokens of each text by the tokenizer of a model; null if no server of it counts them. */
  countTokens(name: string, texts: readonly string[]): Promise<number[] | null>
  /** Capabilities by model, JSON-safe; run.json pins them. */
  capabilities(): Readonly<Record<string, Capabilities>>
  /** Sends nothing more until `resume`. */
  pause(): void
  resume(): void
  /** Sends nothing more; resolves once the replies in flight are received and stored. Calls fail only after that. */
  drain(): Promise<void>
  /** Aborts everything, including requests in flight. */
  close(): Promise<void>
}

/** The models, with one store of replies. */
export interface ServerSession extends Pick<ModelServers, 'model' | 'releaseUpTo'> {
  /** Ends the session: the store is no longer flushed by `drain`. */
  end(): void
}

/**
 * Opens the servers and probes their capabilities.
 *
 * @throws {EndpointError} a model has no endpoint that responds, or one that lacks a pinned capability
 */
export async function openServers(options: OpenServersOptions): Promise<ModelServers> {
  const servers = new Servers(options)
  try {
    await servers.open()
  } catch (error) {
    await servers.close()
    throw error
  }
  return servers
}

interface OpenModel extends ScheduledModel {
  capabilities: Capabilities
}

class Servers implements ModelServers {
  readonly #options: OpenServersOptions
  readonly #models = new Map<string, OpenModel>()
  readonly #dispatcher: Dispatcher
  readonly #registry: EndpointRegistry
  readonly #log: EventLog
  readonly #calls = new Set<Promise<unknown>>()
  #replies: Replies | null = null
  /** Stores of the open sessions. */
  readonly #sessions = new Set<Replies>()
  /** Settles once the servers are drained; null before. */
  #draining: Promise<void> | null = null
  #onSlots: () => void = () => undefined
  #keptServed = 0
  #tokens = 0
  /** Models whose token counts are estimated. */
  readonly #estimated = new Set<OpenModel>()

  /** The files that name servers, each with the group of its models. */
  readonly #files: EndpointFile[] = []

  constructor(options: OpenServersOptions) {
    this.#options = options
    this.#log = options.log ?? noLog
    const clock = options.clock ?? systemClock
    const servers = serverOptions.parse(options.servers ?? {})
    this.#dispatcher = new Dispatcher({ clock, servers })
    this.#registry = new EndpointRegistry({
      clock,
      probe: options.probe ?? true,
      brief: options.briefProbe ?? false,
      memory: options.probeMemory ?? null,
      outageMaxMs: servers.outageMaxMs,
      startMaxMs: servers.startMaxMs,
      pump: () => this.#dispatcher.pump(),
      onEvent: (event) => this.#report(event),
      log: this.#log,
      connect: options.connect ?? httpClient,
    })
    const groups = new Map<string, EndpointGroup>()
    for (const [name, input] of Object.entries(options.models)) {
      const filled = modelOptions.parse(input)
      const headers = requestHeaders(filled.headers, filled.apiKey)
      // The endpoints of a file are added when it is opened.
      const [file, urls] = 'file' in filled.endpoints ? [filled.endpoints.file, []] : [null, filled.endpoints]
      const endpoints = this.#registry.endpoints(this.#useOf(name, filled, headers), urls)
      const labels = endpoints.map((endpoint) => endpoint.label).sort()
      // Models with the same file keep the same servers.
      const key = file === null ? labels.join(' ') : `file ${file}`
      const known = groups.get(key)
      const group =
        known ??
        new EndpointGroup(new WaitingQueue<PendingRequest>(this.#dispatcher.records, servers.starveMs), endpoints)
      groups.set(key, group)
      if (known === undefined) {
        this.#dispatcher.groups.push(group)
        if (file !== null) this.#files.push(this.#watched(file, group, clock, servers.startMaxMs))
      }
      const promptsMax = 1
      this.#models.set(name, {
        options: filled,
        headers,
        group,
        promptsMax,
        forms: new Map<string, FormState>(),
        capabilities: assumedCapabilities(),
      })
    }
  }

  #useOf(name: string, options: ModelOptions, headers: Readonly<Record<string, string>>): Omit<ModelUse, 'probe'> {
    const pinned = ownValue(this.#options.pinned, name) ?? null
    return { name, options, headers, pinned, readsPrompts: this.#options.readPrompts?.includes(name) ?? false }
  }

  #watched(path: string, group: EndpointGroup, clock: Clock, startMaxMs: number): EndpointFile {
    return new EndpointFile({
      path,
      group,
      startMaxMs,
      registry: this.#registry,
      uses: () =>
        [...this.#models]
          .filter(([, model]) => model.group === group)
          .map(([name, { options, headers, capabilities }]) => ({
            ...this.#useOf(name, options, headers),
            pinned: capabilities,
          })),
      clock,
      pump: () => this.#dispatcher.pump(),
      onEvent: (event) => this.#options.onEvent?.(event),
      log: this.#log,
    })
  }

  async open(): Promise<void> {
    for (const file of this.#files) {
      const urls = await file.first()
      for (const [name, { group, options, headers }] of this.#models) {
        if (group !== file.group) continue
        for (const endpoint of this.#registry.endpoints(this.#useOf(name, options, headers), urls)) group.add(endpoint)
      }
    }
    const found = await this.#registry.open()
    for (const [name, model] of this.#models) {
      const all = found.get(name) ?? []
      const pinned = ownValue(this.#options.pinned, name)
      if (all.length === 0 && pinned === undefined) continue
      // Pinned ones also apply to a server that is down: its requests must have the keys of the stored replies.
      const common = commonCapabilities(all)
      // An earlier run, whose replies are used, may not have needed the log-probabilities of prompts.
      const { promptLogprobs } = common
      const capabilities =
        pinned === undefined ? common : { ...(promptLogprobs === undefined ? {} : { promptLogprobs }), ...pinned }
      const promptsMax = common.promptLists ? model.options.promptsPerRequest : 1
      this.#models.set(name, Object.assign(model, { capabilities, promptsMax }))
    }
    for (const file of this.#files) file.start()
  }

  model(name: string): Model {
    return this.#modelWith(name, () => this.#replies)
  }

  session(replies: Replies, from: Position): ServerSession {
    this.#sessions.add(replies)
    this.#dispatcher.records.restartAt(from)
    return {
      model: (name) => this.#modelWith(name, () => replies),
      releaseUpTo: (position) => this.releaseUpTo(position),
      end: () => {
        this.#sessions.delete(replies)
      },
    }
  }

  #modelWith(name: string, replies: () => Replies | null): Model {
    const model = this.#models.get(name)
    if (model === undefined) {
      throw new ContractError(`no model '${name}': the recipe has ${[...this.#models.keys()].join(', ')}`)
    }
    return {
      name: model.options.model,
      capabilities: model.capabilities,
      ask: (call) => this.#ask(call, model, replies()),
    }
  }

  useReplies(replies: Replies): void {
    this.#replies = replies
  }

  releaseUpTo(position: Position): void {
    this.#dispatcher.releaseUpTo(position)
  }

  metrics(): ServersMetrics {
    return {
      waiting: this.#dispatcher.waiting,
      retries: this.#dispatcher.retryCount,
      keptServed: this.#keptServed,
      tokens: this.#tokens,
      endpoints: this.#registry.metrics(),
      stages: this.#dispatcher.work.read(),
    }
  }

  slots(): number {
    return this.#registry.slots()
  }

  onSlots(listener: () => void): void {
    this.#onSlots = listener
  }

  async countTokens(name: string, texts: readonly string[]): Promise<number[] | null> {
    const model = this.#models.get(name)
    if (model === undefined) throw new ContractError(`no model '${name}' is open`)
    const { group, headers, options } = model
    for (const endpoint of [...group.endpoints]) {
      const { client } = endpoint
      const counts = await endpoint.use(() =>
        mapConcurrent(texts, tokenizeConcurrentMax, (text) =>
          this.#countOnce(() => countTokens(client, headers, options.model, text, AbortSignal.timeout(tokenizeMaxMs))),
        ),
      )
      if (!counts.includes(null)) return counts as number[]
    }
    return null
  }

  /** Retries a count that had no response; null if it has none. */
  async #countOnce(ask: () => Promise<number | null>): Promise<number | null> {
    for (let tries = 0; tries < tokenizeTriesMax; tries++) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof ServerError) && asError(error).name !== 'TimeoutError') throw error
        await (this.#options.clock ?? systemClock).sleep(tokenizeWaitMs)
      }
    }
    return null
  }

  capabilities(): Readonly<Record<string, Capabilities>> {
    return Object.fromEntries([...this.#models].map(([name, model]) => [name, model.capabilities]))
  }

  pause(): void {
    this.#dispatcher.pause()
  }

  resume(): void {
    this.#dispatcher.resume()
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain()
    return this.#draining
  }

  async #drain(): Promise<void> {
    await this.#dispatcher.drain()
    // Replies that were received are being stored.
    await Promise.allSettled(this.#calls)
    await this.#replies?.flush()
    for (const replies of this.#sessions) await replies.flush()
  }

  async close(): Promise<void> {
    await this.#dispatcher.close()
    await Promise.allSettled(this.#calls)
    await Promise.all(this.#files.map((file) => file.close()))
    await this.#registry.close()
  }

  async #ask(call: Call, model: OpenModel, replies: Replies | null): Promise<Answer> {
    try {
      const answer = await this.#track(this.#complete(call, model, replies))
      if (!answer.kept) this.#options.onAnswer?.(call, answer)
      this.#onSlots()
      return answer
    } catch (error) {
      // A call that failed earlier would end the run before the replies of the requests in flight are stored.
      await this.#draining?.catch(() => undefined) // `drain` rejects with it
      throw error
    }
  }

  async #complete(call: Call, model: OpenModel, replies: Replies | null): Promise<Answer> {
    const { answer, exhausted } = await completeCall(call, model.options.triesMax, (asked, attempt) =>
      this.#result(asked, model, attempt, replies),
    )
    if (exhausted && !answer.kept && 'verdict' in answer) {
      this.#log.info('tries-exhausted', { record: call.record, stage: call.stage, ...answer.verdict })
    }
    return answer
  }

  async #result(call: Call, model: OpenModel, attempt: number, replies: Replies | null): Promise<AttemptResult> {
    const seed = requestSeed(this.#options.seed, call.record, call.stage, attempt)
    const body = () => requestBody(call.request, model.options, seed)
    const ask = async (name?: string) =>
      reduced(
        call,
        await this.#countTokens(
          call.stage,
          model,
          this.#dispatcher.submit(call, model, () => acceptedBody(body(), model.capabilities), name),
        ),
      )
    if (replies === null) return { outcome: await ask(), kept: false }
    const key = replyKey(call.record, call.stage, attempt, canonicalJson({ kind: call.request.kind, ...body() }))
    const found = await replies.find(key)
    if (found !== null) {
      this.#keptServed++
      this.#dispatcher.work.add(call.stage, this.#dispatcher.laneOf(model), { kept: 1 })
      if ('reply' in found) this.#dispatcher.noteKnownGood(call, model, () => acceptedBody(body(), model.capabilities))
      return { outcome: found, kept: true }
    }
    const outcome = await ask(key.toString('hex'))
    await replies.keep(key, call.position[0] ?? 0, outcome)
    if ('verdict' in outcome) {
      this.#log.info('verdict-stored', { record: call.record, stage: call.stage, attempt, ...outcome.verdict })
    }
    return { outcome, kept: false }
  }

  async #countTokens(stage: string, model: OpenModel, asked: Promise<CallResult>): Promise<CallResult> {
    const outcome = await asked
    if ('verdict' in outcome) return outcome
    const { completionTokens: tokens } = outcome.reply
    this.#tokens += tokens
    this.#dispatcher.work.add(stage, this.#dispatcher.laneOf(model), { tokens })
    if (outcome.reply.usageEstimated) this.#reportEstimates(model)
    return outcome
  }

  /** Reports once per model: token limits count the estimates. */
  #reportEstimates(model: OpenModel): void {
    if (this.#estimated.has(model)) return
    this.#estimated.add(model)
    const words = `model '${model.options.model}' sends no usable token counts: they are estimated from the texts`
    const endpoint = model.group.endpoints.map(({ label }) => label).join(', ')
    this.#report({ kind: 'usage-estimated', endpoint, words })
  }

  #report(event: ServerEvent): void {
    const { kind, endpoint, words } = event
    this.#log[kind === 'endpoint-down' ? 'warn' : 'info'](kind, { endpoint, words })
    this.#options.onEvent?.(event)
  }

  async #track<T>(asked: Promise<T>): Promise<T> {
    this.#calls.add(asked)
    try {
      return await asked
    } finally {
      this.#calls.delete(asked)
    }
  }
}

function reduced({ reduce }: Call, outcome: CallResult): CallResult {
  return reduce !== undefined && 'reply' in outcome ? { reply: reduce(outcome.reply) } : outcome
}
