/**
 * /v1/completions and /v1/chat/completions: parses a body and sends the reply, whole or as a stream, or the fault in its
 * place.
 */
import { randomUUID } from 'node:crypto'
import { hashText } from '../random.js'
import { type Exchange, headerOf, parseJson } from './exchange.js'
import type { FaultRule } from './fault-rules.js'
import type { Faults } from './faults.js'
import { type Generation, generate } from './generate.js'
import type { CapabilityName, FilledSimulatorOptions } from './options.js'
import type { Pace } from './pace.js'
import { contextLengthRefusal, modelNotFound, queueFull, Refusal } from './refusal.js'
import { openingPiece, type ReplyHead, replyBody, replyPiece, usagePiece } from './replies.js'
import { chatRequest, completionRequest, type ModelRequest } from './request.js'

export class ModelEndpoint {
  readonly #options: FilledSimulatorOptions
  readonly #models: readonly string[]
  readonly #contextTokensMax: number
  readonly #faults: Faults
  readonly #pace: Pace
  readonly #die: (rule: FaultRule) => void
  readonly #loseMetrics: () => void

  constructor(
    options: FilledSimulatorOptions,
    models: readonly string[],
    contextTokensMax: number,
    faults: Faults,
    pace: Pace,
    die: (rule: FaultRule) => void,
    loseMetrics: () => void,
  ) {
    this.#options = options
    this.#models = models
    this.#contextTokensMax = contextTokensMax
    this.#faults = faults
    this.#pace = pace
    this.#die = die
    this.#loseMetrics = loseMetrics
  }

  /** @throws {Refusal} the request is not valid, or has a fault */
  serve(exchange: Exchange, path: string): void {
    const { request, body } = exchange
    exchange.fault = this.#faults.ruleFor(body, headerOf(request, 'x-simulate-error'))
    const parsed = parseJson(body)
    const lacks = (name: CapabilityName) => this.#options.missing.includes(name)
    const asked =
      path === '/v1/completions'
        ? completionRequest(parsed, this.#options.promptsMax, lacks)
        : chatRequest(parsed, lacks)
    if (asked.model !== undefined && this.#options.models.length > 0 && !this.#models.includes(asked.model)) {
      throw modelNotFound(asked.model)
    }
    if (exchange.fault !== null && this.#carryOut(exchange, exchange.fault, asked)) return
    const generations = generate(asked, {
      options: this.#options,
      contextTokensMax: this.#contextTokensMax,
      fault: exchange.fault?.kind ?? null,
      bodyHash: () => hashText(body, this.#options.seed),
    })
    if (this.#options.nonce) exchange.texts = generations.map(({ text }) => text)
    const prefix = asked.kind === 'chat' ? 'chatcmpl' : 'cmpl'
    const head = {
      id: `${prefix}-${headerOf(request, 'x-request-id') ?? randomUUID()}`,
      created: Math.floor(Date.now() / 1_000),
      model: asked.model ?? (this.#models[0] as string),
    }
    if (asked.stream) this.#streamReply(exchange, head, asked, generations)
    else this.#wholeReply(exchange, head, asked, generations)
  }

  /** Applies faults that replace a reply; returns false for those that alter it. */
  #carryOut(exchange: Exchange, rule: FaultRule, asked: ModelRequest): boolean {
    const after = rule.kind.endsWith('-bare') ? undefined : rule.retryAfterSeconds
    switch (rule.kind) {
      case 'context-length':
        throw contextLengthRefusal(this.#contextTokensMax, this.#contextTokensMax, asked.maxTokens ?? 1)
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
        this.#die(rule)
        return true
      case 'reset':
        exchange.reset()
        return true
      case 'hang':
        return true
      case 'metrics-missing':
        this.#loseMetrics()
        return false
      default:
        return false
    }
  }

  #wholeReply(exchange: Exchange, head: ReplyHead, asked: ModelRequest, generations: Generation[]): void {
    this.#startAll(exchange, generations, undefined, () => {
      const reply = replyBody(head, asked, generations)
      if (exchange.fault?.kind === 'choices-missing') reply.choices.pop()
      if (exchange.fault?.kind === 'choices-shuffled') reply.choices.reverse()
      exchange.json(200, reply)
    })
  }

  #streamReply(exchange: Exchange, head: ReplyHead, asked: ModelRequest, generations: Generation[]): void {
    const sent = new Map<Generation, number>()
    const missing = exchange.fault?.kind === 'choices-missing' ? generations.at(-1) : undefined
    const send = (generation: Generation, tokens: number) => {
      const from = sent.get(generation) ?? 0
      const last = tokens >= generation.completionTokens
      const to = Math.min(tokens, generation.ids.length)
      if (generation === missing || (to <= from && !last)) return
      sent.set(generation, to)
      exchange.event(replyPiece(head, asked, generation, from, to, last))
    }
    const started = this.#startAll(exchange, generations, send, () => {
      if (asked.includeUsage) exchange.event(usagePiece(head, asked, generations))
      exchange.endEvents()
    })
    if (!started) return
    exchange.startEvents()
    if (asked.kind === 'chat') for (const generation of generations) exchange.event(openingPiece(head, generation))
  }

  /** Starts one job for each generation; calls `onAll` after the last. Returns false and sends 503 if the queue is full. */
  #startAll(
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
      const handle = this.#pace.start(job, onDone)
      if (handle === null) {
        exchange.abort()
        exchange.refuse(queueFull(undefined))
        return false
      }
      exchange.handles.push(handle)
    }
    return true
  }
}
