/**
 * The simulator: an HTTP server with the API of vLLM. Routes requests, and simulates a crash and restart. Replies of models
 * are in model-endpoint.ts, the admin API in admin.ts.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { z } from 'zod'
import { InvalidOptionError } from '../../errors.js'
import { listen } from '../../listen.js'
import { admin } from './admin.js'
import { Exchange, headerOf, parseJson, pathOf } from './exchange.js'
import { type FaultRule, type FaultRuleOptions, faultRule } from './fault-rules.js'
import { Faults } from './faults.js'
import { ModelEndpoint } from './model-endpoint.js'
import {
  type CapabilityName,
  check,
  type FilledSimulatorOptions,
  fillOptions,
  type SimulatorOptions,
} from './options.js'
import { type Capacity, DelayPace, EnginePace, type Pace } from './pace.js'
import { enginePresets } from './presets.js'
import { engineDead, Refusal } from './refusal.js'
import { detokenizeRequest, tokenizeRequest } from './request.js'
import { RequestLog } from './request-log.js'
import type { Simulator, SimulatorStats } from './types.js'

/** Keep-alive of vLLM; that of a client must be shorter. */
const keepAliveMs = 5_000
const backlog = 16_384
const contextTokensDefault = 32_768
const builtinModel = 'builtin-extractive'

/**
 * Starts a server with vLLM's API, by default on loopback and a free port.
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
  readonly #http: Server
  readonly #pace: Pace
  readonly #faults: Faults
  readonly #log: RequestLog
  readonly #endpoint: ModelEndpoint
  readonly #models: readonly string[]
  readonly #contextTokensMax: number
  readonly #exchanges = new Set<Exchange>()
  #state: 'alive' | 'dying' | 'dead' | 'closed' = 'alive'
  /** While dying: requests that still get a 500. */
  #refusalsLeft = 0
  #reviveTimer: NodeJS.Timeout | null = null
  #metricsGone = false
  #counts = { requests: 0, completed: 0, aborted: 0, openMost: 0 }

  readonly #options: FilledSimulatorOptions

  constructor(options: FilledSimulatorOptions) {
    this.#options = options
    const preset =
      options.preset === 'instant' || options.preset === 'delay' ? undefined : enginePresets[options.preset]
    this.#models = options.models.length > 0 ? options.models : [preset?.model ?? builtinModel]
    this.#contextTokensMax = options.contextTokensMax ?? preset?.contextTokensMax ?? contextTokensDefault
    this.#faults = new Faults(options.seed, options.faults)
    this.#log = new RequestLog(options.requestLog)
    const { queueMax } = options
    this.#pace =
      preset === undefined
        ? new DelayPace(options.preset === 'instant' ? 0 : options.latencyMs, options.seed)
        : new EnginePace({ ...preset.engine, ...(queueMax === undefined ? {} : { queueMax }) }, options.speed)
    this.#endpoint = new ModelEndpoint(
      options,
      this.#models,
      this.#contextTokensMax,
      this.#faults,
      this.#pace,
      (rule) => this.#crash(rule),
      () => {
        this.#metricsGone = true
      },
    )
    this.#http = createServer(
      { keepAliveTimeout: keepAliveMs, requestTimeout: 0, noDelay: true },
      (request, response) => this.#accept(request, response),
    )
  }

  get url(): string {
    const { host } = this.#options
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.port}/v1`
  }

  async listen(): Promise<void> {
    const { host } = this.#options
    const port = this.port || this.#options.port
    this.port = await listen(this.#http, host, port, backlog)
    this.#state = 'alive'
  }

  stats(): SimulatorStats {
    const { running, waiting, kvCacheUsage, preemptions, promptTokens, generationTokens } = this.#pace.metrics
    const { prefixCacheQueries, prefixCacheHits } = this.#pace.metrics
    return {
      ...this.#counts,
      open: this.#exchanges.size,
      running,
      waiting,
      kvCacheUsage,
      preemptions,
      prefixCacheQueries,
      prefixCacheHits,
      promptTokens,
      generationTokens,
      faults: this.#faults.counts(),
    }
  }

  requests() {
    return this.#log.last()
  }

  setFaults(rules: readonly FaultRuleOptions[]): void {
    this.#faults.set(check(z.array(faultRule), rules, 'faults'))
    this.#metricsGone = false
  }

  setCapacity(capacity: Capacity): void {
    this.#pace.setCapacity(capacity)
  }

  kill(refuseAfter = 0): void {
    if (this.#state !== 'alive') return
    this.#state = 'dying'
    this.#refusalsLeft = refuseAfter
    for (const exchange of this.#exchanges) {
      exchange.abort()
      exchange.refuse(engineDead())
    }
    if (refuseAfter === 0) this.#stopListening()
  }

  async revive(): Promise<void> {
    if (this.#reviveTimer !== null) clearTimeout(this.#reviveTimer)
    this.#reviveTimer = null
    if (this.#state === 'dying') this.#state = 'alive'
    if (this.#state !== 'dead') return
    await this.listen()
  }

  async close(): Promise<void> {
    if (this.#reviveTimer !== null) clearTimeout(this.#reviveTimer)
    if (this.#state === 'closed') return
    const listening = this.#http.listening
    this.#state = 'closed'
    this.#pace.close()
    const closed = listening ? new Promise<void>((resolve) => this.#http.close(() => resolve())) : Promise.resolve()
    this.#http.closeAllConnections()
    await closed
    // Their 'close' events come after the log is closed.
    for (const exchange of [...this.#exchanges]) this.#ended(exchange)
    this.#log.close()
  }

  #crash({ refuseAfter, reviveAfterMs }: FaultRule): void {
    this.kill(refuseAfter)
    if (reviveAfterMs === undefined) return
    this.#reviveTimer = setTimeout(() => void this.revive(), reviveAfterMs)
  }

  #stopListening(): void {
    this.#state = 'dead'
    this.#http.close()
    // Replies that were written are sent first; then every connection is closed, as when a process exits.
    setImmediate(() => this.#http.closeAllConnections())
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(request, response, ++this.#counts.requests)
    this.#exchanges.add(exchange)
    this.#counts.openMost = Math.max(this.#counts.openMost, this.#exchanges.size)
    response.sendDate = false
    const id = request.headers['x-request-id']
    if (typeof id === 'string') response.setHeader('x-request-id', id)
    response.on('error', () => exchange.abort())
    response.on('close', () => this.#ended(exchange))
    this.#route(exchange).catch((error: unknown) => {
      if (error instanceof Refusal) exchange.refuse(error)
      else if (error instanceof InvalidOptionError) exchange.refuse(new Refusal(400, error.message))
      else {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
        exchange.refuse(new Refusal(500, `simulator: ${message}`, 'InternalServerError'))
      }
    })
  }

  #ended(exchange: Exchange): void {
    if (!this.#exchanges.delete(exchange)) return
    const complete = exchange.response.writableFinished
    if (complete) this.#counts.completed++
    else this.#counts.aborted++
    exchange.abort()
    if (exchange.request.method !== 'POST') return
    const { number, body, fault, texts, request, response } = exchange
    this.#log.add(
      {
        number,
        path: pathOf(request),
        hash: this.#log.hashes ? createHash('sha256').update(body).digest('hex') : '',
        key: headerOf(request, 'x-kun-key') ?? null,
        status: response.headersSent ? response.statusCode : 0,
        complete,
        fault: fault?.kind ?? null,
        texts,
      },
      body,
    )
  }

  async #route(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const path = pathOf(request)
    const body = request.method === 'POST' ? await exchange.read() : ''
    if (body === null) return
    if (path.startsWith('/admin/')) return admin(this, this.#faults, exchange, path)
    if (this.#state === 'dying') return this.#refuseDying(exchange, path)
    const { apiKey } = this.#options
    if (apiKey !== undefined && path.startsWith('/v1/') && request.headers.authorization !== `Bearer ${apiKey}`) {
      throw new Refusal(401, 'Unauthorized', 'AuthenticationError')
    }
    switch (`${request.method} ${path}`) {
      case 'POST /v1/completions':
      case 'POST /v1/chat/completions':
        return this.#endpoint.serve(exchange, path)
      case 'POST /tokenize':
        return this.#tokenize(exchange)
      case 'POST /detokenize':
        if (this.#lacks('tokenize')) break
        return exchange.json(200, { prompt: detokenizeRequest(parseJson(body)) })
      case 'GET /v1/models':
        if (this.#lacks('models')) break
        return exchange.json(200, this.#modelList())
      case 'GET /health':
        return exchange.send(200, '')
      case 'GET /version':
        return exchange.json(200, { version: '0.12.0+kun-stream-simulator' })
      case 'GET /metrics':
        if (this.#lacks('metrics') || this.#metricsGone) break
        return exchange.send(200, this.#pace.metrics.text(this.#models[0] as string), 'text/plain; version=0.0.4')
    }
    exchange.json(404, { detail: 'Not Found' })
  }

  #lacks(name: CapabilityName): boolean {
    return this.#options.missing.includes(name)
  }

  #refuseDying(exchange: Exchange, path: string): void {
    if (path === '/health') {
      exchange.send(503, '')
      return
    }
    exchange.refuse(engineDead())
    if (--this.#refusalsLeft <= 0)
      exchange.response.once('finish', () => this.#state === 'dying' && this.#stopListening())
  }

  #tokenize(exchange: Exchange): void {
    if (this.#lacks('tokenize')) {
      exchange.json(404, { detail: 'Not Found' })
      return
    }
    const tokens = tokenizeRequest(parseJson(exchange.body))
    exchange.json(200, { count: tokens.length, max_model_len: this.#contextTokensMax, tokens, token_strs: null })
  }

  #modelList(): object {
    const entry = (id: string) => ({ id, object: 'model', created: 0, owned_by: 'vllm', root: id, parent: null })
    const data = this.#models.map((id) => ({ ...entry(id), max_model_len: this.#contextTokensMax }))
    return { object: 'list', data }
  }
}
