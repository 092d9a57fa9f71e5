/**
 * The simulator: an HTTP server that answers as vLLM does. Routes, life and death, and what connects the parts.
 * What is said comes from generate.ts, when from pace.ts, what goes wrong from faults.ts.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { EndpointError, InvalidOptionError } from '../errors.js'
import { Exchange } from './exchange.js'
import { type FaultRule, type FaultRuleOptions, faultRule } from './fault-rules.js'
import { type FaultCounts, Faults } from './faults.js'
import { type Generation, generate } from './generate.js'
import {
  type CapabilityName,
  check,
  type FilledSimulatorOptions,
  fillOptions,
  type SimulatorOptions,
} from './options.js'
import { DelayPace, EnginePace, type Pace } from './pace.js'
import { enginePresets } from './presets.js'
import { hashText } from './random.js'
import { contextLengthRefusal, engineDead, modelNotFound, Refusal } from './refusal.js'
import { openingPiece, type ReplyHead, replyBody, replyPiece, usagePiece } from './replies.js'
import { chatRequest, completionRequest, detokenizeRequest, type ModelRequest, tokenizeRequest } from './request.js'
import { type LoggedRequest, RequestLog } from './request-log.js'

/** vLLM's; a client's must be shorter. */
export const keepAliveMs = 5_000
const backlog = 16_384
const contextTokensDefault = 32_768
const builtinModel = 'kun-stream-extractive'

export interface SimulatorStats {
  readonly requests: number
  /** Replies handed to the network completely. */
  readonly completed: number
  /** Given up by the client before the reply was complete. */
  readonly aborted: number
  readonly open: number
  readonly openMost: number
  readonly running: number
  readonly waiting: number
  readonly preemptions: number
  readonly promptTokens: number
  readonly generationTokens: number
  readonly faults: FaultCounts
}

export interface Simulator {
  /** http://HOST:PORT/v1 */
  readonly url: string
  readonly port: number
  stats(): SimulatorStats
  /** The last requests that are over, oldest first, bodies and all. */
  requests(): (LoggedRequest & { readonly body: string })[]
  /** Replaces all fault rules; numbers of requests count from now. */
  setFaults(rules: readonly FaultRuleOptions[]): void
  /** Changes in mid-run what the server can do: `speed` 0.5 is half. */
  setCapacity(capacity: { readonly speed?: number; readonly runningMax?: number }): void
  /** The engine dies: 500 for all requests open and the next few, /health 503, then connections are refused. */
  kill(refuseAfter?: number): void
  /** Back again, on the same port. */
  revive(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts a server that speaks vLLM's API, on loopback and a free port unless told otherwise.
 *
 * @throws {InvalidOptionError} an option is out of range · {EndpointError} the address cannot be listened on
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const server = new SimulatorServer(fillOptions(options))
  await server.listen()
  return server
}

class SimulatorServer implements Simulator {
  port = 0
  private readonly http: Server
  private readonly pace: Pace
  private readonly faults: Faults
  private readonly log: RequestLog
  private readonly models: readonly string[]
  private readonly contextTokensMax: number
  private readonly exchanges = new Set<Exchange>()
  private state: 'alive' | 'dying' | 'dead' | 'closed' = 'alive'
  /** While dying: requests that still get a 500. */
  private refusalsLeft = 0
  private reviveTimer: NodeJS.Timeout | null = null
  private metricsGone = false
  private counts = { requests: 0, completed: 0, aborted: 0, openMost: 0 }

  constructor(private readonly options: FilledSimulatorOptions) {
    const preset =
      options.preset === 'instant' || options.preset === 'delay' ? undefined : enginePresets[options.preset]
    this.models = options.models.length > 0 ? options.models : [preset?.model ?? builtinModel]
    this.contextTokensMax = options.contextTokensMax ?? preset?.contextTokensMax ?? contextTokensDefault
    this.faults = new Faults(options.seed, options.faults)
    this.log = new RequestLog(options.requestLog)
    const { queueMax } = options
    this.pace =
      preset === undefined
        ? new DelayPace(options.preset === 'instant' ? 0 : options.latencyMs, options.seed)
        : new EnginePace({ ...preset.engine, ...(queueMax === undefined ? {} : { queueMax }) }, options.speed)
    this.http = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0, noDelay: true }, (request, response) =>
      this.accept(request, response),
    )
  }

  get url(): string {
    const { host } = this.options
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.port}/v1`
  }

  async listen(): Promise<void> {
    const { host } = this.options
    const port = this.port || this.options.port
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', (cause) =>
        reject(new EndpointError(`simulator: cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
      )
      this.http.listen({ host, port, backlog }, resolve)
    })
    this.port = (this.http.address() as AddressInfo).port
    this.state = 'alive'
  }

  stats(): SimulatorStats {
    const { running, waiting, preemptions, promptTokens, generationTokens } = this.pace.metrics
    const open = this.exchanges.size
    const engine = { running, waiting, preemptions, promptTokens, generationTokens }
    return { ...this.counts, open, ...engine, faults: this.faults.counts() }
  }

  requests() {
    return this.log.last()
  }

  setFaults(rules: readonly FaultRuleOptions[]): void {
    this.faults.set(check(z.array(faultRule), rules, 'faults'))
    this.metricsGone = false
  }

  setCapacity(capacity: { readonly speed?: number; readonly runningMax?: number }): void {
    this.pace.setCapacity(capacity)
  }

  kill(refuseAfter = 0): void {
    if (this.state !== 'alive') return
    this.state = 'dying'
    this.refusalsLeft = refuseAfter
    for (const exchange of this.exchanges) {
      exchange.abort()
      exchange.refuse(engineDead())
    }
    if (refuseAfter === 0) this.stopListening()
  }

  async revive(): Promise<void> {
    if (this.reviveTimer !== null) clearTimeout(this.reviveTimer)
    this.reviveTimer = null
    if (this.state === 'dying') this.state = 'alive'
    if (this.state !== 'dead') return
    await this.listen()
  }

  async close(): Promise<void> {
    if (this.reviveTimer !== null) clearTimeout(this.reviveTimer)
    if (this.state === 'closed') return
    const listening = this.http.listening
    this.state = 'closed'
    this.pace.close()
    const closed = listening ? new Promise<void>((resolve) => this.http.close(() => resolve())) : Promise.resolve()
    this.http.closeAllConnections()
    await closed
    this.log.close()
  }

  private stopListening(): void {
    this.state = 'dead'
    this.http.close()
    // Replies already written leave first; then every connection goes, as with a process that ends.
    setImmediate(() => this.http.closeAllConnections())
  }

  private accept(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(request, response, ++this.counts.requests)
    this.exchanges.add(exchange)
    this.counts.openMost = Math.max(this.counts.openMost, this.exchanges.size)
    response.sendDate = false
    const id = request.headers['x-request-id']
    if (typeof id === 'string') response.setHeader('x-request-id', id)
    response.on('error', () => exchange.abort())
    response.on('close', () => this.over(exchange))
    this.route(exchange).catch((error: unknown) => {
      if (error instanceof Refusal) exchange.refuse(error)
      else if (error instanceof InvalidOptionError) exchange.refuse(new Refusal(400, error.message))
      else {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
        exchange.refuse(new Refusal(500, `simulator: ${message}`, 'InternalServerError'))
      }
    })
  }

  private over(exchange: Exchange): void {
    this.exchanges.delete(exchange)
    const complete = exchange.response.writableFinished
    if (complete) this.counts.completed++
    else this.counts.aborted++
    exchange.abort()
    if (this.state === 'closed' || exchange.request.method !== 'POST') return
    const { number, body, fault, texts, request, response } = exchange
    this.log.add(
      {
        number,
        path: pathOf(request),
        hash: this.log.hashes ? createHash('sha256').update(body).digest('hex') : '',
        key: headerOf(request, 'x-kun-key') ?? null,
        status: response.headersSent ? response.statusCode : 0,
        complete,
        fault: fault?.kind ?? null,
        texts,
      },
      body,
    )
  }

  private async route(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const path = pathOf(request)
    const body = request.method === 'POST' ? await exchange.read() : ''
    if (body === null) return
    if (path.startsWith('/admin/')) return this.admin(exchange, path)
    if (this.state === 'dying') return this.refuseDying(exchange, path)
    const { apiKey } = this.options
    if (apiKey !== undefined && path.startsWith('/v1/') && request.headers.authorization !== `Bearer ${apiKey}`) {
      throw new Refusal(401, 'Unauthorized', 'AuthenticationError')
    }
    switch (`${request.method} ${path}`) {
      case 'POST /v1/completions':
      case 'POST /v1/chat/completions':
        return this.model(exchange, path)
      case 'POST /tokenize':
        return this.tokenize(exchange)
      case 'POST /detokenize':
        if (this.lacks('tokenize')) break
        return exchange.json(200, { prompt: detokenizeRequest(parseJson(body)) })
      case 'GET /v1/models':
        if (this.lacks('models')) break
        return exchange.json(200, this.modelList())
      case 'GET /health':
        return exchange.send(200, '')
      case 'GET /version':
        return exchange.json(200, { version: '0.12.0+kun-stream-simulator' })
      case 'GET /metrics':
        if (this.lacks('metrics') || this.metricsGone) break
        return exchange.send(200, this.pace.metrics.text(this.models[0] as string), 'text/plain; version=0.0.4')
    }
    exchange.json(404, { detail: 'Not Found' })
  }

  private lacks(name: CapabilityName): boolean {
    return this.options.missing.includes(name)
  }

  private refuseDying(exchange: Exchange, path: string): void {
    if (path === '/health') return exchange.send(503, '')
    exchange.refuse(engineDead())
    if (--this.refusalsLeft <= 0) exchange.response.once('finish', () => this.state === 'dying' && this.stopListening())
  }

  /** Control while it runs: faults, capacity, death and life. Only what listens on loopback should be trusted with it. */
  private async admin(exchange: Exchange, path: string): Promise<void> {
    const body = exchange.body === '' ? {} : parseJson(exchange.body)
    switch (`${exchange.request.method} ${path}`) {
      case 'GET /admin/faults':
        return exchange.json(200, { faults: this.faults.list() })
      case 'POST /admin/faults':
        this.setFaults(check(z.strictObject({ faults: z.array(faultRule) }), body, 'body').faults)
        return exchange.json(200, { faults: this.faults.list() })
      case 'POST /admin/capacity':
        this.setCapacity(check(capacityBody, body, 'body') as { speed?: number; runningMax?: number })
        return exchange.json(200, {})
      case 'POST /admin/kill':
        exchange.json(200, {})
        exchange.response.once('finish', () => this.kill())
        return
      case 'POST /admin/revive':
        await this.revive()
        return exchange.json(200, {})
      case 'GET /admin/stats':
        return exchange.json(200, this.stats())
    }
    exchange.json(404, { detail: 'Not Found' })
  }

  private tokenize(exchange: Exchange): void {
    if (this.lacks('tokenize')) return exchange.json(404, { detail: 'Not Found' })
    const tokens = tokenizeRequest(parseJson(exchange.body))
    exchange.json(200, { count: tokens.length, max_model_len: this.contextTokensMax, tokens, token_strs: null })
  }

  private modelList(): object {
    const entry = (id: string) => ({ id, object: 'model', created: 0, owned_by: 'vllm', root: id, parent: null })
    const data = this.models.map((id) => ({ ...entry(id), max_model_len: this.contextTokensMax }))
    return { object: 'list', data }
  }

  private model(exchange: Exchange, path: string): void {
    const { request, body } = exchange
    exchange.fault = this.faults.judge(body, headerOf(request, 'x-simulate-error'))
    const parsed = parseJson(body)
    const lacks = (name: CapabilityName) => this.lacks(name)
    const asked =
      path === '/v1/completions'
        ? completionRequest(parsed, this.options.promptsMax, lacks)
        : chatRequest(parsed, lacks)
    if (asked.model !== undefined && this.options.models.length > 0 && !this.models.includes(asked.model)) {
      throw modelNotFound(asked.model)
    }
    if (exchange.fault !== null && this.carryOut(exchange, exchange.fault, asked)) return
    const generations = generate(asked, {
      options: this.options,
      contextTokensMax: this.contextTokensMax,
      fault: exchange.fault?.kind ?? null,
      bodyHash: () => hashText(body, this.options.seed),
    })
    if (this.options.nonce) exchange.texts = generations.map(({ text }) => text)
    const prefix = asked.kind === 'chat' ? 'chatcmpl' : 'cmpl'
    const head = {
      id: `${prefix}-${headerOf(request, 'x-request-id') ?? randomUUID()}`,
      created: Math.floor(Date.now() / 1_000),
      model: asked.model ?? (this.models[0] as string),
    }
    if (asked.stream) this.streamReply(exchange, head, asked, generations)
    else this.wholeReply(exchange, head, asked, generations)
  }

  /** Faults that come instead of a reply; false for those that alter one. */
  private carryOut(exchange: Exchange, rule: FaultRule, asked: ModelRequest): boolean {
    const after = rule.kind.endsWith('-bare') ? undefined : rule.retryAfterSeconds
    switch (rule.kind) {
      case 'context-length':
        throw contextLengthRefusal(this.contextTokensMax, this.contextTokensMax, asked.maxTokens ?? 1)
      case 'bad-request':
        throw new Refusal(400, 'temperature must be non-negative, got -1.', 'BadRequestError', 'temperature')
      case 'model-not-found':
        throw modelNotFound(asked.model ?? '')
      case 'rate-limited':
      case 'rate-limited-bare':
        throw new Refusal(429, 'Rate limit reached, slow down.', 'RateLimitError', null, after)
      case 'overloaded':
      case 'overloaded-bare':
        throw queueFull(after)
      case 'engine-error':
        throw new Refusal(500, 'Internal server error', 'InternalServerError')
      case 'engine-death':
        this.kill(rule.refuseAfter)
        if (rule.reviveAfterMs !== undefined) {
          this.reviveTimer = setTimeout(() => void this.revive(), rule.reviveAfterMs)
        }
        return true
      case 'reset':
        exchange.reset()
        return true
      case 'hang':
        return true
      case 'metrics-missing':
        this.metricsGone = true
        return false
      default:
        return false
    }
  }

  private wholeReply(exchange: Exchange, head: ReplyHead, asked: ModelRequest, generations: Generation[]): void {
    this.startAll(exchange, generations, undefined, () => {
      const reply = replyBody(head, asked, generations)
      if (exchange.fault?.kind === 'choices-missing') reply.choices.pop()
      if (exchange.fault?.kind === 'choices-shuffled') reply.choices.reverse()
      exchange.json(200, reply)
    })
  }

  private streamReply(exchange: Exchange, head: ReplyHead, asked: ModelRequest, generations: Generation[]): void {
    const sent = new Map<Generation, number>()
    const missing = exchange.fault?.kind === 'choices-missing' ? generations.at(-1) : undefined
    const say = (generation: Generation, tokens: number) => {
      const from = sent.get(generation) ?? 0
      const last = tokens >= generation.completionTokens
      const to = Math.min(tokens, generation.ids.length)
      if (generation === missing || (to <= from && !last)) return
      sent.set(generation, to)
      exchange.event(replyPiece(head, asked, generation, from, to, last))
    }
    const started = this.startAll(exchange, generations, say, () => {
      if (asked.includeUsage) exchange.event(usagePiece(head, asked, generations))
      exchange.endEvents()
    })
    if (!started) return
    exchange.startEvents()
    if (asked.kind === 'chat') for (const generation of generations) exchange.event(openingPiece(head, generation))
  }

  /** One job a generation; `onAll` after the last. False, and a 503 sent, when the queue has no room for all. */
  private startAll(
    exchange: Exchange,
    generations: readonly Generation[],
    onTokens: ((generation: Generation, tokens: number) => void) | undefined,
    onAll: () => void,
  ): boolean {
    let left = generations.length
    const onDone = () => {
      if (--left === 0 && exchange.open) onAll()
    }
    for (const generation of generations) {
      const job = {
        promptIds: generation.prompt.ids,
        outputTokens: generation.completionTokens,
        finishedReason: generation.finishReason,
        ...(onTokens === undefined ? {} : { onToken: (tokens: number) => onTokens(generation, tokens) }),
      }
      const ticket = this.pace.start(job, onDone)
      if (ticket === null) {
        exchange.abort()
        exchange.refuse(queueFull(undefined))
        return false
      }
      exchange.tickets.push(ticket)
    }
    return true
  }
}

const capacityBody = z.strictObject({
  speed: z.number().positive().optional(),
  runningMax: z.number().int().positive().optional(),
})

function queueFull(retryAfterSeconds: number | undefined): Refusal {
  const message = 'The server is overloaded: its queue is full.'
  return new Refusal(503, message, 'ServiceUnavailableError', null, retryAfterSeconds)
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new Refusal(400, `The body is no JSON: ${(cause as Error).message}`)
  }
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/'
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
